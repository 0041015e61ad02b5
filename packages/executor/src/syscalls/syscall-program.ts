import { createArm64Code } from './arm64-code.ts';
import { createDataSection, type Datum } from './data-section.ts';
import { DATA_ADDRESS, elfExecutable } from './elf.ts';
import { createX64Code } from './x64-code.ts';

/** The machines that programs can be made for, by `process.arch`. */
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
  | 'ioctl'
  | 'keyctl'
  | 'unshare'
  | 'write'
  | 'umask'
  | 'mount'
  | 'mount_setattr'
  | 'sethostname'
  | 'execve'
  | 'setns'
  | 'close'
  | 'openat'
  | 'ppoll'
  | 'fork';

/**
 * One system call with up to five arguments. After `fork`, which has none, the child makes the remaining calls. The
 * parent waits for its end and exits with the same code, or with 128 plus the number of the signal that killed it.
 */
export interface Syscall {
  readonly name: SyscallName;
  /** Numbers, and data that is passed by address. */
  readonly args: readonly (number | Datum)[];
  /** Whether the program continues if this call fails. */
  readonly mayFail: boolean;
}

/** Returns a call whose failure is ignored. */
export function may(name: SyscallName, ...args: Syscall['args']): Syscall {
  return { name, args, mayFail: true };
}

/** Returns a call whose failure ends the program. */
export function must(name: SyscallName, ...args: Syscall['args']): Syscall {
  return { name, args, mayFail: false };
}

export interface SyscallProgram {
  readonly calls: readonly Syscall[];
  /**
   * The descriptor for the results of a program that ends by itself: a little-endian int32 per call, failures as
   * negative errno.
   */
  readonly reportTo: number;
}

/** Returns whether programs can be made for this `process.arch`. */
export function isSyscallMachine(arch: string): arch is SyscallMachine {
  return arch === 'x64' || arch === 'arm64';
}

/**
 * Encodes an executable that makes system calls one after the other, until one replaces it or a required one fails;
 * then it reports and exits with 125. It is a static ELF file of a few kilobytes without a loader, libraries or an
 * environment to obey. The last step into a sandbox holds the step's environment while the host's files are still
 * visible; a dynamically linked program would load what LD_PRELOAD names.
 */
export function encodeSyscallProgram(machine: SyscallMachine, { calls, reportTo }: SyscallProgram): Uint8Array {
  const { elfMachine, numbers, createCode } = MACHINES[machine];
  // The jump to the end reaches no farther on arm64.
  if (calls.length > MAX_CALLS) throw new Error(`A program of ${calls.length} calls is too long`);
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

const MAX_CALLS = 512;
/** The exit code of a program that failed. */
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
      ioctl: 16,
      keyctl: 250,
      unshare: 272,
      umask: 95,
      mount: 165,
      mount_setattr: 442,
      sethostname: 170,
      execve: 59,
      write: 1,
      setns: 308,
      close: 3,
      openat: 257,
      ppoll: 271,
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
      ioctl: 29,
      keyctl: 219,
      unshare: 97,
      umask: 166,
      mount: 40,
      mount_setattr: 442,
      sethostname: 161,
      execve: 221,
      write: 64,
      setns: 268,
      close: 57,
      openat: 56,
      ppoll: 73,
      clone: 220,
      wait4: 260,
      exit_group: 94,
    },
    createCode: createArm64Code,
  },
};
