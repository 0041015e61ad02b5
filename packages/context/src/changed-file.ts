import { TbuildError } from '@tbuild/errors';
import type { TreeEntry } from './file-tree.ts';

/** What to say of a file that is not what it was when a key was made of it. */
export function changedFile(entry: TreeEntry, cause?: unknown): TbuildError {
  const hint = 'Build again once nothing writes to it any more';
  return new TbuildError('CONTEXT', `File ${JSON.stringify(entry.path)} changed during the build`, { hint, cause });
}
