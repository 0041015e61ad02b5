import type { BakeDefinition } from '@tbuild/spec';
import type { BuildAnswer, BuildOptions } from './build.ts';
import { ask } from './call-program.ts';

/** The answers for the targets that were built, by name. */
export type BakeAnswer = Readonly<Record<string, BuildAnswer>>;

/**
 * Builds several targets as one, as `tbuild bake` does: steps that they share run once, contexts are read once. Secrets
 * are for all targets. The first failure ends all of them.
 * @throws BuildError as `build`.
 */
export async function bake(definition: BakeDefinition, options?: BuildOptions): Promise<BakeAnswer> {
  return (await ask('bake', definition, options)) as BakeAnswer;
}
