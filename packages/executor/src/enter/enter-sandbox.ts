import { constants } from 'node:os';
import type { ProcessSpec, Sandbox } from '../executor.ts';
import { type Syscall, type SyscallProgram, may, must } from '../syscalls/syscall-program.ts';
import { DIE_WITH_PARENT, signalAction } from './process-calls.ts';
import { limitCalls } from './resource-limits.ts';

export interface EnterOptions {
  /** The number of the kernel's last capability. */
  readonly lastCapability: number;
  /** A seccomp program. */
  readonly filter?: Uint8Array;
  readonly reportTo: number;
  readonly joinDescriptors: readonly number[];
  /** Whether the process above the step is there as long as we are. */
  readonly diesWithParent?: boolean;
  /** Whether the step's control group becomes the root of all that it sees. */
  readonly ownCgroupNamespace?: boolean;
  /** The directory to go into. Absent: the tree was moved onto `/`. */
  readonly root?: string;
  /** Capabilities that a confined step may have. */
  readonly capabilities: readonly number[];
  /** The capabilities that we have, as a mask. None of them stays inheritable, which would survive a drop. */
  readonly permitted: bigint;
  /** False where groups cannot be changed. */
  readonly setsGroups: boolean;
  /** Whether a step goes on without the filter where loading one is refused. */
  readonly filterMayFail?: boolean;
}

const CLONE_NEWCGROUP = 0x0200_0000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const PR_CAPBSET_DROP = 24;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const ALL_DESCRIPTORS = 0xffff_ffff;

/** _LINUX_CAPABILITY_VERSION_3, this process. */
const CAPABILITY_HEADER = { numbers: [0x2008_0522, 0] } as const;

/** SIGINT and SIGQUIT, which a shell ignores for what it starts in the background, and SIGTERM, which a set-up may. */
const DEFAULTED_SIGNALS = [2, 3, 15];

/** Our own root is what lies beneath the tree, and `..` of it is the tree. */
const TREE_ON_ROOT = '/..';

/** Docker's, for an environment without one. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The calls that make the last program of the set-up, pid 1 and root with all capabilities, into the step's process. The
 * filter comes while the right to load one is still there, which spares no_new_privs: sudo has to work.
 */
export function enterSandbox({ process, security, limits = [] }: Sandbox, options: EnterOptions): SyscallProgram {
  const { lastCapability, filter, reportTo, permitted, root = TREE_ON_ROOT, capabilities } = options;
  const { uid, gid, groups } = process.user;
  const confined = security === 'sandbox';
  const loading: Syscall = {
    ...must('prctl', PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { filter: filter ?? new Uint8Array() }),
    mayFail: options.filterMayFail ?? false,
  };
  const calls: Syscall[] = [
    must('fcntl', reportTo, F_SETFD, FD_CLOEXEC),
    ...groupCalls(options.joinDescriptors),
    ...(options.ownCgroupNamespace ? [may('unshare', CLONE_NEWCGROUP)] : []),
    // A signal to its whole process group must not reach the set-up above it.
    may('setsid'),
    // The keys of who started tbuild are none of the step's. Kernels without keys lack the call.
    may('keyctl', KEYCTL_JOIN_SESSION_KEYRING, 0),
    // What tbuild itself inherited leads out of the root. Kernels before 5.9 lack the call.
    may('close_range', reportTo + 1, ALL_DESCRIPTORS, 0),
    must('chroot', { text: root }),
    must('chdir', { text: process.cwd }),
    ...limitCalls(limits),
    ...(options.setsGroups ? [must('setgroups', groups.length, { numbers: groups })] : []),
    must('setgid', gid),
    ...(confined
      ? droppedCapabilities(lastCapability, capabilities).map((number) => must('prctl', PR_CAPBSET_DROP, number))
      : []),
    must('capset', CAPABILITY_HEADER, { numbers: capabilityData(permitted) }),
    ...(confined && filter !== undefined ? [loading] : []),
    must('setuid', uid),
    ...(options.diesWithParent ? [DIE_WITH_PARENT] : []),
    ...DEFAULTED_SIGNALS.map((number) => may('rt_sigaction', ...signalAction(number, 'default'))),
    ...executions(process),
  ];
  return { calls, reportTo };
}

/** Enters control groups, so late that the set-up neither counts nor is killed in the step's place. */
function groupCalls(joinDescriptors: readonly number[]): Syscall[] {
  return joinDescriptors.map((descriptor) => must('write', descriptor, { text: '0' }, 1));
}

/** Effective, permitted and inheritable: the lower halves, then the upper ones. */
function capabilityData(mask: bigint): number[] {
  const [low, high] = [Number(mask & 0xffff_ffffn), Number(mask >> 32n)];
  return [low, low, 0, high, high, 0];
}

function droppedCapabilities(last: number, capabilities: readonly number[]): number[] {
  const kept = new Set(capabilities);
  return Array.from({ length: last + 1 }, (_, number) => number).filter((number) => !kept.has(number));
}

/** One call for each place where the program may be; the first that succeeds is the last that is made. */
function executions(process: ProcessSpec): Syscall[] {
  const env = { texts: environmentOf(process) };
  const args = { texts: process.args };
  return candidates(process).map((path) => ({ name: 'execve', args: [{ text: path }, args, env], mayFail: true }));
}

function environmentOf({ env, user }: ProcessSpec): readonly string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${user.home ?? '/'}`];
}

/** So many calls fit into a program, with those before them. */
const MOST_CANDIDATES = 256;

function candidates({ args: [program = ''], env }: ProcessSpec): string[] {
  if (program.includes('/')) return [program];
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  return path
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .slice(0, MOST_CANDIDATES)
    .map((directory) => `${directory}/${program}`);
}

/** What a report says: the call that failed, or why the program could not be executed. */
export type EnterFailure =
  | { readonly call: Syscall; readonly errno: number }
  | { readonly exitCode: 126 | 127; readonly message: string };

/** Reads the results of a program that ended by itself. */
export function readReport({ calls }: SyscallProgram, program: string, report: Buffer): EnterFailure {
  const errors = calls.map((_, index) => -report.readInt32LE(index * 4));
  const failed = calls.findIndex((call, index) => !call.mayFail && (errors[index] ?? 0) > 0);
  const call = calls[failed];
  if (call !== undefined) return { call, errno: errors[failed] ?? 0 };
  return executionFailure(
    program,
    errors.filter((_, index) => calls[index]?.name === 'execve'),
  );
}

/** The words are those of Docker's builder; a place that merely lacks the program matters least. */
function executionFailure(program: string, errors: readonly number[]): EnterFailure {
  const { ENOENT, ENOTDIR, EACCES } = constants.errno;
  const errno = errors.find((error) => error !== ENOENT && error !== ENOTDIR);
  const name = JSON.stringify(program);
  if (errno === EACCES) return { exitCode: 126, message: `exec: ${name}: permission denied\n` };
  if (errno !== undefined) return { exitCode: 126, message: `exec ${program}: ${describeErrno(errno)}\n` };
  if (program.includes('/'))
    return { exitCode: 127, message: `exec: ${name}: stat ${program}: no such file or directory\n` };
  return { exitCode: 127, message: `exec: ${name}: executable file not found in $PATH\n` };
}

/** An errno in words. */
export function describeErrno(errno: number): string {
  const { ENOEXEC, E2BIG, ENOENT, ENOTDIR, EACCES } = constants.errno;
  const words = new Map([
    [ENOEXEC, 'exec format error'],
    [E2BIG, 'argument list too long'],
    [ENOENT, 'no such file or directory'],
    [ENOTDIR, 'not a directory'],
    [EACCES, 'permission denied'],
  ]);
  return (
    words.get(errno) ?? Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `error ${errno}`
  );
}
