import type { ResultId } from '@tbuild/graph';
import { hexOf } from '@tbuild/oci';
import type { ActiveSnapshot } from '@tbuild/snapshot';
import type { OpEnvironment } from './op-environment.ts';

/** Prepares a tree to change, on top of a result or empty. */
export async function prepareOn(
  base: ResultId | undefined,
  { services, results }: Pick<OpEnvironment, 'services' | 'results'>,
): Promise<ActiveSnapshot> {
  if (base === undefined) return services.snapshots.prepare();
  await results.snapshot(base);
  return services.snapshots.prepare(hexOf(base));
}
