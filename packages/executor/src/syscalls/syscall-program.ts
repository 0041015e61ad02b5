import { createArm64Code, createX64Code } from './machine-code.ts';
import { DATA_ADDRESS, elfExecutable } from './elf.ts';
import { createDataSection, type Datum } from './data-section.ts';

/** Machines that programs can be made for, as `process.arch` names them. */
export type SyscallMachine = 'x64' | 'arm64';

export type SyscallName =
  | 'prctl'
  | 'fcntl'
  | 'close_range'
  | 'rt_sigaction'
  | 'capset'
  | 'setgroups'
  | 'setgid'
  | 'setuid'
  | 'fchown'
  | 'chroot'
  | 'chdir'
  | 'setrlimit'
  | 'setsid'
  | 'keyctl'
  | 'unshare'
  | 'write'
  | 'umask'
  | 'mount'
  | 'mount_setattr'
  | 'sethostname'
  | 'execve'
  | 'fork';

/**
 * One system call, with up to five arguments. After `fork`, which has none, the child makes the other calls; its parent waits for
 * its end and ends with the same exit code, or with 128 and the number of the signal that killed it.
 */
export interface Syscall {
  readonly name: SyscallName;
  /** Numbers, and what is to be pointed at. */
  readonly args: readonly (number | Datum)[];
  /** Whether the next call is made although this one failed. */
  readonly mayFail: boolean;
}

/** A call whose failure does not matter. */
export function may(name: SyscallName, ...args: Syscall['args']): Syscall {
  return { name, args, mayFail: true };
}

/** A call without which nothing else is done. */
export function must(name: SyscallName, ...args: Syscall['args']): Syscall {
  return { name, args, mayFail: false };
}

export interface SyscallProgram {
  readonly calls: readonly Syscall[];
  /** Takes the results when the program ends by itself: a little-endian int32 a call, failures as negative errno. */
  readonly reportTo: number;
}

/** Whether there are programs for this `process.arch`. */
export function isSyscallMachine(arch: string): arch is SyscallMachine {
  return arch === 'x64' || arch === 'arm64';
}

/**
 * An executable that makes system calls one after the other, up to one that replaces it or must not fail and does; it
 * then reports and exits with 125. A static ELF file of a few kilobytes, without loader, libraries or an
 * environment to obey: the last step into a sandbox has the step's environment in hand and the host's files
 * still in sight, where a dynamically linked program would load what LD_PRELOAD and its like name.
 */
export function encodeSyscallProgram(machine: SyscallMachine, { calls, reportTo }: SyscallProgram): Uint8Array {
  const { elfMachine, numbers, createCode } = MACHINES[machine];
  // What leads to the end reaches no farther on arm64.
  if (calls.length > MOST_CALLS) throw new Error(`A program of ${calls.length} calls is too long`);
  const data = createDataSection(DATA_ADDRESS);
  const code = createCode(calls.length);
  for (const [slot, { name, args, mayFail }] of calls.entries()) {
    if (name === 'fork') {
      code.fork({ clone: numbers.clone, wait: numbers.wait4, exit: numbers.exit_group, exitCode: EXIT_CODE }, slot);
      continue;
    }
    const values = args.map((arg) => (typeof arg === 'number' ? arg : data.place(arg)));
    code.call(numbers[name], values, { slot, mayFail });
  }
  const end = { write: numbers.write, exit: numbers.exit_group, reportTo, exitCode: EXIT_CODE };
  return elfExecutable(elfMachine, data.bytes(), code.finish(end));
}

const MOST_CALLS = 512;
/** Of a program that could not do what it was made for. */
const EXIT_CODE = 125;

type Numbers = Readonly<Record<Exclude<SyscallName, 'fork'> | 'clone' | 'wait4' | 'exit_group', number>>;

const MACHINES: Readonly<
  Record<SyscallMachine, { elfMachine: number; numbers: Numbers; createCode: typeof createX64Code }>
> = {
  x64: {
    elfMachine: 62,
    numbers: {
      prctl: 157,
      fcntl: 72,
      close_range: 436,
      rt_sigaction: 13,
      capset: 126,
      setgroups: 116,
      setgid: 106,
      setuid: 105,
      fchown: 93,
      chroot: 161,
      chdir: 80,
      setrlimit: 160,
      setsid: 112,
      keyctl: 250,
      unshare: 272,
      umask: 95,
      mount: 165,
      mount_setattr: 442,
      sethostname: 170,
      execve: 59,
      write: 1,
      clone: 56,
      wait4: 61,
      exit_group: 231,
    },
    createCode: createX64Code,
  },
  arm64: {
    elfMachine: 183,
    numbers: {
      prctl: 167,
      fcntl: 25,
      close_range: 436,
      rt_sigaction: 134,
      capset: 91,
      setgroups: 159,
      setgid: 144,
      setuid: 146,
      fchown: 55,
      chroot: 51,
      chdir: 49,
      setrlimit: 164,
      setsid: 157,
      keyctl: 219,
      unshare: 97,
      umask: 166,
      mount: 40,
      mount_setattr: 442,
      sethostname: 161,
      execve: 221,
      write: 64,
      clone: 220,
      wait4: 260,
      exit_group: 94,
    },
    createCode: createArm64Code,
  },
};
