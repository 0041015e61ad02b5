import { DIE_WITH_PARENT, signalAction } from '../enter/process-calls.ts';
import type { SetupStep } from '../sandbox/sandbox-mounts.ts';
import { type Syscall, may, must } from '../syscalls/syscall-program.ts';
import type { MountEntry } from './fstab.ts';

const CLONE_NEWNS = 0x2_0000;
const CLONE_NEWUTS = 0x400_0000;
const CLONE_NEWIPC = 0x800_0000;
const CLONE_NEWPID = 0x2000_0000;
const MS_BIND = 0x1000;
const MS_MOVE = 0x2000;
const MS_REC = 0x4000;
const MS_PRIVATE = 0x4_0000;
const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const NULL = 0;

/** As flags of mount(2) and as attributes of mount_setattr(2). */
const ATTRIBUTES: ReadonlyMap<string, number> = new Map([
  ['ro', 1],
  ['nosuid', 2],
  ['nodev', 4],
  ['noexec', 8],
]);
/** mount(2) takes one page with a final zero. */
const MAX_OPTION_BYTES = 4095;

/** Together with the calls that enter the sandbox they fit into one program. */
const MAX_MOUNT_CALLS = 200;
/** SIGINT and SIGTERM. The entering program restores their defaults for the step. */
const IGNORED_SIGNALS = [2, 15];
/** The longest host name, in bytes. */
const MAX_HOSTNAME_BYTES = 64;

/**
 * Returns the system calls that create the namespaces and mount everything, in the process whose end ends the sandbox
 * and in its child, pid 1. Returns undefined for what they cannot do: mount points inside mounts, options longer than
 * a page, very many mounts.
 */
export function setUpCalls(steps: readonly SetupStep[], hostname: string): readonly Syscall[] | undefined {
  const mounting: Syscall[] = [];
  for (const step of steps) {
    const calls = 'make' in step ? undefined : mountCalls(step);
    if (calls === undefined) return undefined;
    mounting.push(...calls);
  }
  if (mounting.length > MAX_MOUNT_CALLS) return undefined;
  return [
    DIE_WITH_PARENT,
    must('unshare', CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS),
    // A signal to the whole group is meant for tbuild, which ends the step itself.
    ...IGNORED_SIGNALS.map((signal) => must('rt_sigaction', ...signalAction(signal, 'ignored'))),
    must('fork'),
    DIE_WITH_PARENT,
    must('umask', 0o022),
    must('mount', { text: 'none' }, { text: '/' }, NULL, MS_REC | MS_PRIVATE),
    ...mounting,
    may('sethostname', { text: hostname }, Math.min(Buffer.byteLength(hostname), MAX_HOSTNAME_BYTES)),
  ];
}

function mountCalls(entry: MountEntry): Syscall[] | undefined {
  const enter = entry.directory === undefined ? [] : [must('chdir', { text: entry.directory })];
  const calls = entry.type === 'none' ? bindCalls(entry) : fileSystemCalls(entry);
  return calls && [...enter, ...calls];
}

function fileSystemCalls({ source, target, type, options }: MountEntry): Syscall[] | undefined {
  const flags = options.reduce((sum, option) => sum | (ATTRIBUTES.get(option) ?? 0), 0);
  const data = options.filter((option) => !ATTRIBUTES.has(option)).join(',');
  if (Buffer.byteLength(data) > MAX_OPTION_BYTES) return undefined;
  return [must('mount', { text: source }, { text: target }, { text: type }, flags, { text: data })];
}

/** Sets the attributes of a bind afterwards: mount(2) would replace all of them, which a user namespace may not do. */
function bindCalls({ source, target, options }: MountEntry): Syscall[] | undefined {
  let [flags, set, clear, everywhere] = [0, 0, 0, 0];
  for (const option of options) {
    if (option === 'bind') flags = MS_BIND;
    else if (option === 'rbind') flags = MS_BIND | MS_REC;
    else if (option === 'move') flags = MS_MOVE;
    else if (option === 'dev') clear |= attribute('nodev');
    else if (option === 'ro=recursive') everywhere |= attribute('ro');
    else if (ATTRIBUTES.has(option)) set |= attribute(option);
    else return undefined;
  }
  return [
    must('mount', { text: source }, { text: target }, NULL, flags),
    ...(set === 0 && clear === 0 ? [] : [attributeCall(target, { set, clear })]),
    ...(everywhere === 0 ? [] : [attributeCall(target, { set: everywhere, flags: AT_RECURSIVE })]),
  ];
}

function attribute(option: string): number {
  return ATTRIBUTES.get(option) ?? 0;
}

/**
 * Returns the call with a `struct mount_attr` of four 64-bit numbers: to set, to clear, propagation, user namespace.
 */
function attributeCall(
  target: string,
  { set, clear = 0, flags = 0 }: { set: number; clear?: number; flags?: number },
): Syscall {
  const attributes = [set, 0, clear, 0, 0, 0, 0, 0];
  return must('mount_setattr', AT_FDCWD, { text: target }, flags, { numbers: attributes }, attributes.length * 4);
}
