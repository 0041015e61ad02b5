import { parseDockerfile, type Stage } from '@tbuild/dockerfile';

/**
 * Returns the named stages that the last stage needs and that can be built at the same time, each on a machine of its own:
 * those that run something and need no other such stage. Fewer than two are not worth jobs of their own.
 */
export function independentStages(text: string): readonly string[] {
  const { stages } = parseDockerfile(text);
  const indexOf = (name: string, before: number): number | undefined => {
    const at = /^\d+$/.test(name)
      ? Number(name)
      : stages.findLastIndex((stage, index) => index < before && stage.name === name.toLowerCase());
    return at >= 0 && at < before ? at : undefined;
  };
  const needs = stages.map((stage) => sourcesOf(stage).flatMap((name) => indexOf(name, stage.index) ?? []));
  const reached = reach(needs, stages.length - 1);
  const runs = (index: number): boolean => stages[index]?.instructions.some(({ kind }) => kind === 'run') === true;
  const heavy = [...reached].filter((index) => index < stages.length - 1 && runs(index));
  const free = heavy.filter((index) => ![...reach(needs, index)].some((other) => other !== index && runs(other)));
  const names = free.toSorted((a, b) => a - b).flatMap((index) => stages[index]?.name ?? []);
  return names.length < 2 ? [] : names;
}

/** Returns the names of stages and images that a stage takes files from. */
function sourcesOf({ from, instructions }: Stage): readonly string[] {
  const copied = instructions.flatMap((instruction) => {
    if (instruction.kind === 'copy') return instruction.from?.text ?? [];
    if (instruction.kind !== 'run') return [];
    return instruction.mounts.flatMap(({ options }) => options['from'] ?? []);
  });
  return [from.image.text, ...copied];
}

/** Returns a stage and all that it needs. */
function reach(needs: readonly (readonly number[])[], from: number, found = new Set<number>()): ReadonlySet<number> {
  found.add(from);
  for (const next of needs[from] ?? []) if (!found.has(next)) reach(needs, next, found);
  return found;
}
