import { suggest, TbuildError } from '@tbuild/errors';
import type { BakeDefinition } from '@tbuild/spec';

/** A target to build, or only the context of another one. */
export interface WantedTarget {
  readonly name: string;
  readonly isLink: boolean;
}

/**
 * Returns the named targets and those that are their contexts.
 * @throws TbuildError USAGE for a target that is not defined.
 */
export function withContexts(targets: BakeDefinition['targets'], only: readonly string[]): readonly WantedTarget[] {
  const wanted = new Set(only);
  for (const name of wanted) {
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    if (target === undefined) throw unknownTarget(name, Object.keys(targets));
    for (const source of Object.values(target.contexts ?? {})) {
      const other = /^target:(.+)$/.exec(source)?.[1];
      if (other !== undefined) wanted.add(other);
    }
  }
  return [...wanted].map((name) => ({ name, isLink: !only.includes(name) }));
}

function unknownTarget(name: string, known: readonly string[]): TbuildError {
  const near = suggest(name, known);
  return new TbuildError('USAGE', `No target has the name ${JSON.stringify(name)}`, {
    hint: near === undefined ? `Targets are ${known.join(', ')}` : `Did you mean ${JSON.stringify(near)}?`,
  });
}
