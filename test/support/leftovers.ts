import type { ChildProcess } from 'node:child_process';
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Returns the ids of the processes whose command line contains `text`. */
export function processesNaming(text: string): number[] {
  return processIds().filter((pid) => read(`/proc/${pid}/cmdline`).includes(text) && pid !== process.pid);
}

/** Kills the Node process of a tbuild, which may be below a process of the launcher. Returns its id. */
export function killNode(child: ChildProcess): number | undefined {
  const context = child.spawnargs.at(-1) ?? '';
  const isNode = (pid: number) => /^(node|MainThread)$/m.test(read(`/proc/${pid}/comm`));
  const pid = processesNaming(context).find(isNode);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
  return pid;
}

/** Returns the ids of a process and its descendants whose name matches. */
export function processesBelow({ pid = 0 }: Pick<ChildProcess, 'pid'>, name: RegExp): number[] {
  return withDescendants(pid).filter((each) => name.test(read(`/proc/${each}/comm`).trim()));
}

function withDescendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(withDescendants)];
}

/** Returns the control groups whose name matches. */
export function groupsNamed(name: RegExp): string[] {
  return groupsBelow('/sys/fs/cgroup').filter((path) => name.test(basename(path)));
}

function groupsBelow(directory: string): string[] {
  return entriesOf(directory)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [join(directory, name), ...groupsBelow(join(directory, name))]);
}

/** Returns nothing for a directory that was removed. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Returns the mount lines, in any process's namespace, that contain `text`. */
export function mountsNaming(text: string): string[] {
  const lines = processIds().flatMap((pid) => read(`/proc/${pid}/mountinfo`).split('\n'));
  return [...new Set(lines.filter((line) => line.includes(text)))];
}

function processIds(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Returns nothing for a process that ended between listing and reading. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
