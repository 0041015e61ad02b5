import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { TbuildError } from '@tbuild/errors';
import { openPipe, startProcess, type StartedProcess } from '@tbuild/linux';

/** What this machine's mount(8) and kernel can do. */
export interface MountFeatures {
  /** Overlay takes each lower directory as an option of its own (Linux 6.8). */
  readonly appendLowers: boolean;
  /** `ro=recursive` (util-linux 2.39). */
  readonly recursiveReadonly: boolean;
  /** Overlays can be mounted in user namespaces (Linux 5.11). */
  readonly userOverlays: boolean;
}

/** The set-up's own environment: nothing of the user's, nothing of the step's. */
export const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

/** The path of a program that the set-up may start, if there is one. */
export function findTool(name: string): string | undefined {
  return TOOL_ENVIRONMENT.PATH.split(':')
    .map((directory) => `${directory}/${name}`)
    .find(isExecutable);
}

/**
 * Starts a program of the set-up, by its name or path, from this thread; `descriptors` are its 0, 1, 2 and so on.
 * @throws TbuildError PROCESS_FAILED
 */
export function startTool(name: string, args: readonly string[], descriptors: readonly number[]): StartedProcess {
  try {
    const path = name.includes('/') ? name : (findTool(name) ?? name);
    return startProcess(path, args, { env: TOOL_ENVIRONMENT, descriptors });
  } catch (cause) {
    throw new TbuildError('PROCESS_FAILED', `Cannot start "${name}"`, { cause });
  }
}

/** Whether it may be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let detected: MountFeatures | undefined;

/** Reads two version numbers, once: about 2 ms. */
export function detectMountFeatures(): MountFeatures {
  return (detected ??= detect());
}

function detect(): MountFeatures {
  const text = outputOf('mount', ['--version']);
  return featuresOf({ kernel: release(), utilLinux: text.match(/\d+\.\d+/)?.[0] ?? '0.0' });
}

function outputOf(name: string, args: readonly string[]): string {
  const { reader, writer } = openPipe();
  try {
    void startTool(name, args, [0, writer, 2]).ended();
  } finally {
    closeSync(writer);
  }
  try {
    return readFileSync(reader, 'utf8');
  } finally {
    closeSync(reader);
  }
}

/** What versions promise. */
export function featuresOf(versions: { readonly kernel: string; readonly utilLinux: string }): MountFeatures {
  const modern = isAtLeast(versions.utilLinux, 2, 39);
  return {
    appendLowers: modern && isAtLeast(versions.kernel, 6, 8),
    recursiveReadonly: modern,
    userOverlays: isAtLeast(versions.kernel, 5, 11),
  };
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

/**
 * Whether a fresh /proc may be mounted in a pid namespace. The kernel refuses it in a user namespace when the one
 * in sight is partly covered, as in most containers. `within` makes the user namespace that is asked about, unless it is ours.
 */
export function canMountProc(within: readonly string[] = []): boolean {
  const covered = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4]?.startsWith('/proc/'));
  if (!covered) return true;
  const mounting = ['unshare', '--mount', '--pid', '--fork', 'mount', '-n', '-t', 'proc', 'proc', '/proc'];
  const [file = '', ...args] = [...within, ...mounting];
  return spawnSync(file, args, { env: TOOL_ENVIRONMENT, stdio: 'ignore' }).status === 0;
}
