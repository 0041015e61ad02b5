import type { ResultId } from '@tbuild/graph';
import type { OpEnvironment } from './op-environment.ts';

/** Makes the trees of results available, concurrently. */
export async function gatherTrees(
  wanted: readonly (ResultId | undefined)[],
  { results }: Pick<OpEnvironment, 'results'>,
): Promise<void> {
  await Promise.all(wanted.map((result) => result && results.snapshot(result)));
}
