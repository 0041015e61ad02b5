import { type FileTree, resolveDestination } from '@tbuild/context';
import type { MkdirOp } from '@tbuild/graph';
import type { TreeWriter } from '@tbuild/snapshot';
import type { Owner } from './copy-options.ts';
import { ensureDirectory } from './destination.ts';

/**
 * Makes the directory of a WORKDIR and its missing parents, all of them with the given owner and time
 * (milliseconds since the epoch); what exists stays as it is. The writer is not finished.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS when something on the way is no directory.
 */
export function makeDirectory(
  writer: TreeWriter,
  tree: FileTree,
  op: Pick<MkdirOp, 'path' | 'mode'>,
  owner: Owner,
  now: number,
): void {
  ensureDirectory({ writer, tree }, resolveDestination(tree, op.path), { mode: op.mode, owner, mtimeMs: now });
}
