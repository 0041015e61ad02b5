import type { ResultId } from '@tbuild/graph';
import type { OpEnvironment } from './op-environment.ts';

/** Makes sure that the trees of results can be read, side by side. */
export async function gatherTrees(
  wanted: readonly (ResultId | undefined)[],
  { results }: Pick<OpEnvironment, 'results'>,
): Promise<void> {
  await Promise.all(wanted.map((result) => result && results.snapshot(result)));
}
