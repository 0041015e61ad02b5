import type { CachedOutlines } from '@tbuild/cache';
import type { ResultId, StepId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import { openLayeredTree, outlineOf } from '@tbuild/snapshot';
import type { SolvedBuild } from '../assemble/assemble-image.ts';
import type { Trees } from '../ops/trees.ts';
import type { ImportedSteps } from './imported-steps.ts';

/**
 * Outlines the trees that the images' copies are made on, for machines that only need the layers of these copies. What
 * a cache told of trees that this machine does not have is passed on.
 */
export async function collectOutlines(
  {
    plan: { graph },
    solved: { steps },
    imported,
  }: SolvedBuild & { readonly imported: Pick<ImportedSteps, 'outlineOf'> },
  ofImages: ReadonlySet<StepId>,
  { snapshots, flavour }: Pick<Trees, 'snapshots' | 'flavour'>,
): Promise<CachedOutlines> {
  const destinations = new Map<ResultId, string[]>();
  for (const id of ofImages) {
    const { op, base } = graph.steps.get(id) ?? {};
    const below = base === undefined ? undefined : steps.get(base)?.result;
    if (op?.kind !== 'copy' || below === undefined) continue;
    destinations.set(below, [...(destinations.get(below) ?? []), op.destination]);
  }
  const outlines: Record<ResultId, CachedOutlines[ResultId]> = {};
  for (const [result, paths] of destinations) {
    const tree = await snapshots.stat(hexOf(result));
    const outline =
      tree === undefined
        ? imported.outlineOf(result)
        : outlineOf(openLayeredTree(tree.directories, flavour, { isCommitted: true }), paths);
    if (outline !== undefined) outlines[result] = outline;
  }
  return outlines;
}
