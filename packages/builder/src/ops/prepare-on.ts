import type { ResultId } from '@tbuild/cache';
import { hexOf } from '@tbuild/oci';
import type { ActiveSnapshot } from '@tbuild/snapshot';
import type { OpEnvironment } from './op-environment.ts';

/** A tree to change on top of a result, or on nothing. */
export async function prepareOn(
  base: ResultId | undefined,
  { worker, results }: Pick<OpEnvironment, 'worker' | 'results'>,
): Promise<ActiveSnapshot> {
  if (base === undefined) return worker.snapshots.prepare();
  await results.snapshot(base);
  return worker.snapshots.prepare(hexOf(base));
}
