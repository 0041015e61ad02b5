import { readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { errnoName } from '@tbuild/errors';

/** Returns the target of an absolute path, as far as it exists. A link that leads to nothing yet counts as its target. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    // What cannot be looked at cannot be used either; whatever reads or writes it says why.
    if (errnoName(error) === undefined || path === dirname(path)) throw error;
    const parent = realPath(dirname(path));
    const target = errnoName(error) === 'ENOENT' ? linkTarget(path) : undefined;
    return target === undefined ? join(parent, path.slice(dirname(path).length)) : realPath(resolve(parent, target));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a path is below a directory. Both are absolute. */
export function isBelow(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}
