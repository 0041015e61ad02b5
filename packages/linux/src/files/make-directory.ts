import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';

/**
 * Makes a directory and its missing parents. Node's recursive mkdir never ends where the kernel answers ENOENT for a name in a
 * directory that exists, as in /proc, and reports ENOENT on a read-only file system.
 *
 * @throws TbuildError USAGE in that case, and the system's error in all others.
 */
export function makeDirectory(path: string, { mode = 0o777 }: { readonly mode?: number } = {}): void {
  if (isDirectory(path)) return;
  const refusal = tryMake(path, mode);
  if (refusal === undefined) return;
  const parent = dirname(path);
  if (!existsSync(parent)) makeDirectory(parent, { mode });
  // Another process may have made the parent, or the directory, in the meantime.
  const cause = tryMake(path, mode);
  if (cause === undefined) return;
  throw new TbuildError('USAGE', `Directory ${JSON.stringify(path)} cannot be made: its file system refuses the name`, {
    hint: 'Name a directory on a file system that you may write to',
    cause,
  });
}

/** Returns the error when the parent is missing or refuses the name. */
function tryMake(path: string, mode: number): unknown {
  try {
    mkdirSync(path, { mode });
    return undefined;
  } catch (error) {
    const name = errnoName(error);
    if (name === 'ENOENT') return error;
    if (name === 'EEXIST' && isDirectory(path)) return undefined;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
