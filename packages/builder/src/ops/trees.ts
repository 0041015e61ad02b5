import type { UnpackLimits } from '@tbuild/diff';
import type { ResultId } from '@tbuild/graph';
import type { StepResults } from '@tbuild/layers';
import { hexOf } from '@tbuild/oci';
import type { ActiveSnapshot, OverlayFlavour, Snapshotter } from '@tbuild/snapshot';

/** The trees of finished steps, and new ones to write. */
export interface Trees {
  readonly results: StepResults;
  readonly snapshots: Snapshotter;
  readonly flavour: OverlayFlavour;
  /** What unpacking an archive may take. */
  readonly unpackLimits: UnpackLimits;
}

/** Makes the trees of results available, concurrently. */
export async function gatherTrees(
  wanted: readonly (ResultId | undefined)[],
  { results }: Pick<Trees, 'results'>,
): Promise<void> {
  await Promise.all(wanted.map((result) => result && results.snapshot(result)));
}

/** Prepares a tree to change, on top of a result or empty. */
export async function prepareOn(
  base: ResultId | undefined,
  { snapshots, results }: Pick<Trees, 'snapshots' | 'results'>,
): Promise<ActiveSnapshot> {
  if (base === undefined) return snapshots.prepare();
  await results.snapshot(base);
  return snapshots.prepare(hexOf(base));
}
