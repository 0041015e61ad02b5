import { readlinkSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { TreeEntry } from './file-tree.ts';

/** What to say of a file that is not what it was when a key was made of it. */
export function changedFile(entry: TreeEntry, cause?: unknown): TbuildError {
  const hint = 'Build again once nothing writes to it any more';
  return new TbuildError('CONTEXT', `File ${JSON.stringify(entry.path)} changed during the build`, { hint, cause });
}

/**
 * Where a symbolic link leads.
 * @throws TbuildError CONTEXT when something else has taken its place since its entry was read.
 */
export function readLink(entry: TreeEntry): string {
  try {
    return readlinkSync(entry.location);
  } catch (error) {
    const name = errnoName(error);
    throw name === 'EINVAL' || name === 'ENOENT' || name === 'ENOTDIR' ? changedFile(entry, error) : error;
  }
}
