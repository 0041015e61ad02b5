import { lstatSync, readlinkSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { TreeEntry } from './file-tree.ts';

/** Returns the error for a file that changed after a key was computed from it. */
export function changedFile(entry: TreeEntry, cause?: unknown): TbuildError {
  const hint = 'Build again when no other program writes to it';
  return new TbuildError('CONTEXT', `File ${JSON.stringify(entry.path)} changed during the build`, { hint, cause });
}

/**
 * Returns the target of a symbolic link. Whatever reads the link of an entry, be it for a key, a tree or a layer, gets the same
 * target or the error.
 *
 * @throws TbuildError CONTEXT when the link was replaced or removed since its entry was read.
 */
export function readLink(entry: TreeEntry): string {
  const target = readTarget(entry);
  const { mtimeMs, size } = entry.stats;
  const stats = lstatSync(entry.location, { throwIfNoEntry: false });
  if (stats?.mtimeMs !== mtimeMs || stats.size !== size) throw changedFile(entry);
  return target;
}

function readTarget(entry: TreeEntry): string {
  try {
    return readlinkSync(entry.location);
  } catch (error) {
    const name = errnoName(error);
    throw name === 'EINVAL' || name === 'ENOENT' || name === 'ENOTDIR' ? changedFile(entry, error) : error;
  }
}
