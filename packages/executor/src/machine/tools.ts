import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { openPipe, startProcess, type StartedProcess } from '@tbuild/linux';

/** The features of this machine's mount(8) and kernel. */
export interface MountFeatures {
  /** Overlay accepts each lower directory as an option of its own (Linux 6.8). */
  readonly appendLowers: boolean;
  /** `ro=recursive` (util-linux 2.39). */
  readonly recursiveReadonly: boolean;
  /** Overlays can be mounted in user namespaces (Linux 5.11). */
  readonly userOverlays: boolean;
}

/** The environment of the set-up: nothing from the user, nothing from the step. */
export const TOOL_ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } as const;

/** Returns the path of a program that the set-up may start, if it is installed. */
export function findTool(name: string): string | undefined {
  return TOOL_ENVIRONMENT.PATH.split(':')
    .map((directory) => `${directory}/${name}`)
    .find(isExecutable);
}

/**
 * Starts a program of the set-up by its name or path. `descriptors` become its descriptors 0, 1, 2 and so on.
 * @throws Error like Node's file functions if it cannot be started.
 */
export function startTool(name: string, args: readonly string[], descriptors: readonly number[]): StartedProcess {
  // The programs that have no file have no name.
  const title = name.startsWith('/proc/self/fd/') ? 'the set-up of a step' : undefined;
  return startProcess(toolPath(name), args, { env: TOOL_ENVIRONMENT, descriptors, title });
}

/** Returns the path of a program of the set-up by its name or path. */
export function toolPath(name: string): string {
  return name.includes('/') ? name : (findTool(name) ?? name);
}

/** Returns `NAME=value` of {@link TOOL_ENVIRONMENT}. */
export function toolEnvironment(): readonly string[] {
  return Object.entries(TOOL_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
}

/** Returns whether the file may be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

let detected: MountFeatures | undefined;

/** Detects the features once, by two version numbers. Takes about 2 ms. */
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

/** Returns the features of these versions. */
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
 * Returns whether a new /proc may be mounted in a new pid namespace. In a user namespace the kernel refuses it if the
 * visible /proc is partly covered, as in most containers. `within` is a command that creates the user namespace to
 * test; default: the current one.
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
