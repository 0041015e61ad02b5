import { constants } from 'node:os';
import type { ProcessSpec, Sandbox } from '../executor.ts';
import { fakeIdsFilter } from '../seccomp/fake-ids-filter.ts';
import { type Syscall, type SyscallMachine, type SyscallProgram, may, must } from '../syscalls/syscall-program.ts';
import { DIE_WITH_PARENT, signalAction } from './process-calls.ts';
import { limitCalls } from './resource-limits.ts';
import { searchPath } from './search-path.ts';

export interface EnterOptions {
  /** The number of the kernel's last capability. */
  readonly lastCapability: number;
  /** A seccomp program. */
  readonly filter?: Uint8Array;
  readonly machine: SyscallMachine;
  readonly reportTo: number;
  readonly joinDescriptors: readonly number[];
  /** Whether the parent of the step lives as long as tbuild. */
  readonly diesWithParent?: boolean;
  /** Whether the step gets a control group namespace rooted at its own group. */
  readonly ownCgroupNamespace?: boolean;
  /** The directory to change the root to. Default: the tree that was moved onto `/`. */
  readonly root?: string;
  /** The capabilities of a confined step. */
  readonly capabilities: readonly number[];
  /** The capabilities of this process, as a mask. None stays inheritable, which would survive a drop. */
  readonly permitted: bigint;
  /** The most bytes of a core file that a step may ask for. */
  readonly largestCore: number;
  /** False if groups cannot be changed. */
  readonly setsGroups: boolean;
  /** Whether to set no_new_privs, which an unprivileged process needs to load a filter. sudo then fails. */
  readonly noNewPrivileges?: boolean;
}

const CLONE_NEWCGROUP = 0x0200_0000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const TIOCSCTTY = 0x540e;
const ALL_DESCRIPTORS = 0xffff_ffff;

/** _LINUX_CAPABILITY_VERSION_3, this process. */
const CAPABILITY_HEADER = { numbers: [0x2008_0522, 0] } as const;

/** A shell ignores SIGINT and SIGQUIT for background commands, and the set-up may ignore SIGTERM. */
const DEFAULTED_SIGNALS = [2, 3, 15];

/** The own root is the directory below the moved tree, and its `..` is the tree. */
const TREE_ON_ROOT = '/..';

/**
 * Returns the system calls that turn the last program of the set-up, pid 1 and root with all capabilities, into the
 * step's process. The filter is loaded while the right to do so remains, so that sudo works without `noNewPrivileges`.
 */
export function enterSandbox(
  { process, security, limits = [], fakeIds = false, terminal }: Sandbox,
  options: EnterOptions,
): SyscallProgram {
  const { lastCapability, filter, reportTo, permitted, root = TREE_ON_ROOT, capabilities } = options;
  const { uid, gid, groups } = process.user;
  const confined = security === 'sandbox';
  const calls: Syscall[] = [
    must('fcntl', reportTo, F_SETFD, FD_CLOEXEC),
    ...groupCalls(options.joinDescriptors),
    ...(options.ownCgroupNamespace ? [may('unshare', CLONE_NEWCGROUP)] : []),
    // A signal to the step's whole process group must not reach the set-up above it.
    may('setsid'),
    ...(terminal === undefined ? [] : [may('fchown', 0, uid, gid), may('ioctl', 0, TIOCSCTTY, 0)]),
    // The step must not use the keys of the user who started tbuild. Kernels without keys lack the call.
    may('keyctl', KEYCTL_JOIN_SESSION_KEYRING, 0),
    // Descriptors that tbuild inherited could lead out of the root. Kernels before 5.9 lack the call.
    may('close_range', reportTo + 1, ALL_DESCRIPTORS, 0),
    must('chroot', { text: root }),
    must('chdir', { text: process.cwd }),
    // A core file in the layer would hold secrets of the step.
    ...limitCalls([{ name: 'core', soft: 0, hard: options.largestCore }, ...limits]),
    ...(options.setsGroups ? [must('setgroups', groups.length, { numbers: groups })] : []),
    must('setgid', gid),
    ...(confined
      ? droppedCapabilities(lastCapability, capabilities).map((number) => must('prctl', PR_CAPBSET_DROP, number))
      : []),
    must('capset', CAPABILITY_HEADER, { numbers: capabilityData(permitted) }),
    ...(options.noNewPrivileges ? [must('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)] : []),
    ...(confined && filter !== undefined ? [loadFilter(filter)] : []),
    ...(fakeIds ? [loadFilter(fakeIdsFilter(options.machine))] : []),
    must('setuid', uid),
    ...(options.diesWithParent ? [DIE_WITH_PARENT] : []),
    ...DEFAULTED_SIGNALS.map((number) => may('rt_sigaction', ...signalAction(number, 'default'))),
    ...executions(process),
  ];
  return { calls, reportTo };
}

function loadFilter(filter: Uint8Array): Syscall {
  return must('prctl', PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { filter });
}

/** Joins control groups at the end, so that the set-up is neither counted nor killed in the step's place. */
function groupCalls(joinDescriptors: readonly number[]): Syscall[] {
  return joinDescriptors.map((descriptor) => must('write', descriptor, { text: '0' }, 1));
}

/** Returns effective, permitted and inheritable: the lower halves, then the upper ones. */
function capabilityData(mask: bigint): number[] {
  const [low, high] = [Number(mask & 0xffff_ffffn), Number(mask >> 32n)];
  return [low, low, 0, high, high, 0];
}

function droppedCapabilities(last: number, capabilities: readonly number[]): number[] {
  const kept = new Set(capabilities);
  return Array.from({ length: last + 1 }, (_, number) => number).filter((number) => !kept.has(number));
}

/** Returns one call for each candidate path. The first that succeeds replaces the program. */
function executions(process: ProcessSpec): Syscall[] {
  const env = { texts: environmentOf(process) };
  const args = { texts: process.args };
  return candidates(process).map((path) => ({ name: 'execve', args: [{ text: path }, args, env], mayFail: true }));
}

function environmentOf({ env, user }: ProcessSpec): readonly string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${user.home ?? '/'}`];
}

/** The number of calls that fit into a program besides the others. */
const MAX_CANDIDATES = 256;

function candidates({ args: [program = ''], env }: ProcessSpec): string[] {
  if (program.includes('/')) return [program];
  return searchPath(env)
    .slice(0, MAX_CANDIDATES)
    .map((directory) => `${directory}/${program}`);
}

/** The meaning of a report: the call that failed, or why the program could not be executed. */
export type EnterFailure = { readonly call: Syscall; readonly errno: number } | { readonly notExecuted: string };

/** Interprets the report of a program that ended by itself. */
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

/** Uses Docker's words. A directory that merely lacks the program matters least. */
function executionFailure(program: string, errors: readonly number[]): EnterFailure {
  const { ENOENT, ENOTDIR, EACCES } = constants.errno;
  const errno = errors.find((error) => error !== ENOENT && error !== ENOTDIR);
  const name = JSON.stringify(program);
  if (errno === EACCES) return { notExecuted: `exec: ${name}: permission denied` };
  if (errno !== undefined) return { notExecuted: `exec ${program}: ${describeErrno(errno)}` };
  if (program.includes('/')) return { notExecuted: `exec: ${name}: stat ${program}: no such file or directory` };
  return { notExecuted: `exec: ${name}: executable file not found in $PATH` };
}

/** Returns an errno in words. */
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
