import { type FileTree, resolveDestination } from '@tbuild/context';
import type { MkdirOp } from '@tbuild/graph';
import type { TreeWriter } from '@tbuild/snapshot';
import type { Owner } from './copy-options.ts';
import { ensureDirectory } from './destination.ts';

/**
 * Creates the directory of a WORKDIR and its missing parents with the given owner and time (milliseconds since the
 * epoch). Leaves existing directories unchanged. Does not finish the writer.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS if a path component is not a directory.
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
