import type { SelectOptions } from '@tbuild/context';
import { resultId, type ResultId } from '@tbuild/graph';
import { isDigest } from '@tbuild/oci';
import { openLayeredTree, type LayeredTree } from '@tbuild/snapshot';
import { changesAt } from '../run/mounts/sub-tree.ts';
import type { Trees } from '../trees.ts';

/**
 * Returns the result that a tree stands on and since which no layer has changed the selected paths: they have the same
 * digest there. Returns the tree's own result where that is not certain.
 */
export async function originOf(
  result: ResultId,
  { sources, parents }: SelectOptions,
  {
    results,
    snapshots,
    flavour,
  }: Pick<Trees, 'snapshots' | 'flavour'> & { readonly results: Pick<Trees['results'], 'snapshot'> },
): Promise<ResultId> {
  const { stack, directories } = await results.snapshot(result);
  const tree = openLayeredTree(directories, flavour, { isCommitted: true });
  if (parents === true || !sources.every((path) => isPlain(path) && leadsThroughDirectories(path, tree))) return result;
  const at = directories.findLastIndex((each) => sources.some((path) => changesAt(path, each, flavour)));
  const name = stack[at];
  const digest = `sha256:${name}`;
  if (name === undefined || !isDigest(digest)) return result;
  const below = await snapshots.stat(name);
  // A layer of a composed tree was made on another stack.
  const isBelow = below?.stack.length === at + 1 && below.stack.every((each, index) => each === stack[index]);
  return isBelow ? resultId(digest) : result;
}

function isPlain(path: string): boolean {
  return !/[*?[\\]/.test(path) && !path.split('/').includes('..');
}

/** Returns whether neither the path nor a parent is a symbolic link. */
function leadsThroughDirectories(path: string, tree: LayeredTree): boolean {
  const parts = path.split('/');
  return parts.every((_, at) => tree.stat(parts.slice(0, at + 1).join('/'))?.stats.isSymbolicLink() === false);
}
