import { accessSync, constants } from 'node:fs';
import { resolvePath } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import type { SandboxMount } from '@tbuild/executor';
import type { LayeredTree } from '@tbuild/snapshot';
import { loaderOf, readHead } from '../ops/run/explain-program.ts';

/** A shell that can run in a tree. */
export interface Shell {
  readonly args: readonly string[];
  readonly mounts: readonly SandboxMount[];
}

export interface ShellOptions {
  /** Directories of this machine in which to look for busybox. */
  readonly searchPath: readonly string[];
  /** A file in the sandbox that the shell reads when it starts. */
  readonly startFile: string;
}

/** A place that no image has files in. busybox takes its first argument for its name if its own begins like this. */
const BUSYBOX = '/dev/busybox';

/**
 * Returns the best shell of the tree. Where it has none, binds a static busybox of this machine.
 * @throws TbuildError NOT_FOUND if there is none either.
 */
export function chooseShell(tree: LayeredTree, { searchPath, startFile }: ShellOptions): Shell {
  const has = (path: string): boolean => resolvePath(tree, path, { followLast: true }) !== undefined;
  for (const path of ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'])
    if (has(path)) return { args: [path, '--rcfile', startFile, '-i'], mounts: [] };
  for (const path of ['/bin/sh', '/usr/bin/sh', '/bin/ash', '/bin/dash'])
    if (has(path)) return { args: [path, '-i'], mounts: [] };
  const source = searchPath.map((directory) => `${directory}/busybox`).find(isStatic);
  if (source !== undefined)
    return {
      args: [BUSYBOX, 'sh', '-i'],
      mounts: [{ type: 'bind', source, target: BUSYBOX, readonly: true }],
    };
  throw new TbuildError('NOT_FOUND', 'The step has no shell, and this machine has no static busybox to lend it', {
    hint: 'Install busybox-static (Debian, Ubuntu: apt-get install busybox-static)',
  });
}

function isStatic(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return loaderOf(readHead(path)) === undefined;
  } catch {
    return false;
  }
}
