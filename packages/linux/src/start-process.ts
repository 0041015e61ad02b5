import { libraryCall, systemError } from './libc.ts';
import { awaitEnd, type ProcessEnd } from './reap.ts';

export interface StartOptions {
  readonly env: Readonly<Record<string, string>>;
  /** What the process has as its descriptors 0, 1, 2 and so on. None that Node opened is inherited. */
  readonly descriptors: readonly number[];
}

/** A process that was started. */
export interface StartedProcess {
  readonly pid: number;
  /** Resolves when it has ended. To be called once; this program does not end before. */
  ended(): Promise<ProcessEnd>;
  /** False once `ended` knows better: from then on its number may be another's. */
  isRunning(): boolean;
}

/**
 * Starts a program from this thread, in a session of its own and with all signals at their defaults. Node's own spawn forks, for
 * which the kernel copies the tables of all our memory: ten times as long as this, which lends it until the program runs.
 *
 * @throws Error as Node's file functions do, with ENOENT for instance.
 */
export function startProcess(path: string, args: readonly string[], options: StartOptions): StartedProcess {
  const [actions, attributes, id] = [new Uint8Array(OPAQUE), new Uint8Array(OPAQUE), new Int32Array(1)];
  initActions(actions);
  initAttributes(attributes);
  try {
    placeDescriptors(actions, options.descriptors);
    setDefaults(attributes);
    const env = Object.entries(options.env).map(([name, value]) => `${name}=${value}`);
    const errno = spawn(id, path, actions, attributes, [path, ...args, null], [...env, null]);
    if (errno !== 0) throw systemError('posix_spawn', path, errno);
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

/** Larger than what any C library keeps in these, and in a set of signals. */
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

/** By way of numbers above all of them, since one that is still needed may have the number that another is to get. */
function placeDescriptors(actions: Uint8Array, descriptors: readonly number[]): void {
  const above = Math.max(descriptors.length, ...descriptors) + 1;
  descriptors.forEach((from, to) => void addDup(actions, from, above + to));
  descriptors.forEach((_, to) => {
    addDup(actions, above + to, to);
    addClose(actions, above + to);
  });
}
