import { constants } from 'node:os';
import { libraryCall, systemError } from '../libc.ts';
import { awaitEnd, type ProcessEnd } from './reap.ts';

export interface StartOptions {
  readonly env: Readonly<Record<string, string>>;
  /** The process's descriptors 0, 1, 2 and so on. It inherits no other descriptor that Node opened. */
  readonly descriptors: readonly number[];
  /** What errors call the program. Default: its path. */
  readonly title?: string;
}

/** A running or ended process. */
export interface StartedProcess {
  readonly pid: number;
  /** Resolves when the process has ended. Call it once; it keeps this program alive until then. */
  ended(): Promise<ProcessEnd>;
  /** Returns false once `ended` has resolved: from then on the process id may be reused. */
  isRunning(): boolean;
}

/**
 * Starts a program from this thread, in a new session and with default signal actions. Node's spawn forks, for which
 * the kernel copies the page tables of the whole heap; posix_spawn shares them until the program runs, which is ten
 * times as fast.
 *
 * @throws Error like Node's file functions, e.g. with the code ENOENT.
 */
export function startProcess(
  path: string,
  args: readonly string[],
  { env: variables, descriptors, title = path }: StartOptions,
): StartedProcess {
  const [actions, attributes, id] = [new Uint8Array(OPAQUE), new Uint8Array(OPAQUE), new Int32Array(1)];
  initActions(actions);
  initAttributes(attributes);
  try {
    placeDescriptors(actions, title, descriptors);
    setDefaults(attributes);
    const env = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const errno = spawn(id, path, actions, attributes, [path, ...args, null], [...env, null]);
    if (errno !== 0) throw systemError('posix_spawn', title, errno);
    const [pid = 0] = id;
    return startedProcess(pid);
  } finally {
    destroyActions(actions);
    destroyAttributes(attributes);
  }
}

function startedProcess(pid: number): StartedProcess {
  let isRunning = true;
  return {
    pid,
    isRunning: () => isRunning,
    ended: () =>
      new Promise((resolve) =>
        awaitEnd(pid, (end) => {
          isRunning = false;
          resolve(end);
        }),
      ),
  };
}

/** More bytes than any C library uses for these structures and for a signal set. */
const OPAQUE = 1024;

const spawn = libraryCall(
  'int posix_spawn(int *pid, const char *path, void *actions, void *attributes, const char **args, const char **env)',
);
const initActions = libraryCall('int posix_spawn_file_actions_init(void *actions)');
const destroyActions = libraryCall('int posix_spawn_file_actions_destroy(void *actions)');
const addDup = libraryCall('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)');
const addClose = libraryCall('int posix_spawn_file_actions_addclose(void *actions, int fd)');
const initAttributes = libraryCall('int posix_spawnattr_init(void *attributes)');
const destroyAttributes = libraryCall('int posix_spawnattr_destroy(void *attributes)');
const setFlags = libraryCall('int posix_spawnattr_setflags(void *attributes, short flags)');
const setDefault = libraryCall('int posix_spawnattr_setsigdefault(void *attributes, void *signals)');
const setMask = libraryCall('int posix_spawnattr_setsigmask(void *attributes, void *signals)');
const fill = libraryCall('int sigfillset(void *signals)');

/** `POSIX_SPAWN_SETSIGDEF`, `POSIX_SPAWN_SETSIGMASK` and `POSIX_SPAWN_SETSID` of spawn.h. */
const FLAGS = 0x04 | 0x08 | 0x80;

function setDefaults(attributes: Uint8Array): void {
  const [all, none] = [new Uint8Array(OPAQUE), new Uint8Array(OPAQUE)];
  fill(all);
  setDefault(attributes, all);
  setMask(attributes, none);
  setFlags(attributes, FLAGS);
}

/**
 * Moves descriptors to numbers above all of them first, since a target number may belong to a descriptor that is
 * still needed.
 */
function placeDescriptors(actions: Uint8Array, title: string, descriptors: readonly number[]): void {
  const above = Math.max(descriptors.length, ...descriptors) + 1;
  const copy = (from: number, to: number): void => {
    // The library answers EBADF for a number that the limit of open files does not allow.
    if (addDup(actions, from, to) !== 0) throw systemError('posix_spawn', title, constants.errno.EMFILE);
  };
  descriptors.forEach((from, to) => copy(from, above + to));
  descriptors.forEach((_, to) => {
    copy(above + to, to);
    addClose(actions, above + to);
  });
}
