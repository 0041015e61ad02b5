import type { BuildFacts, StepFacts } from '../report-data.ts';

/** Returns how long a step ran, over all of its runs, in milliseconds. */
export function timeOf({ runs }: Pick<StepFacts, 'runs'>): number {
  return runs.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Returns when a step ended for the last time; 0 if it did not start. */
export function endOf({ runs }: StepFacts): number {
  return runs.at(-1)?.to ?? 0;
}

/**
 * Returns the steps that the build had to wait for: the one that ended last, of its inputs the one that ended last, and
 * so on.
 */
export function criticalPath({ steps }: Pick<BuildFacts, 'steps'>): ReadonlySet<string> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const path = new Set<string>();
  let step = latest(steps);
  while (step !== undefined && !path.has(step.id)) {
    path.add(step.id);
    step = latest(step.inputs.flatMap((id) => byId.get(id) ?? [])) ?? before(step, steps, path);
  }
  return path;
}

/** Work without inputs, such as an export, follows what ended last before it began. */
function before(step: StepFacts, steps: readonly StepFacts[], path: ReadonlySet<string>): StepFacts | undefined {
  const begin = step.runs[0]?.from ?? 0;
  return step.inputs.length > 0
    ? undefined
    : latest(steps.filter((other) => !path.has(other.id) && endOf(other) > 0 && endOf(other) <= begin));
}

function latest(steps: readonly StepFacts[]): StepFacts | undefined {
  return steps.reduce<StepFacts | undefined>(
    (last, step) => (endOf(step) > (last === undefined ? 0 : endOf(last)) ? step : last),
    undefined,
  );
}

/**
 * Returns how much sooner the build would have ended if each step had been cached, in milliseconds: the longest chain
 * of steps with it and without it.
 */
export function savings({ steps }: Pick<BuildFacts, 'steps'>): ReadonlyMap<string, number> {
  const whole = longestChain(steps);
  return new Map(
    steps.filter((step) => timeOf(step) > 0).map(({ id }) => [id, Math.max(0, whole - longestChain(steps, id))]),
  );
}

function longestChain(steps: readonly StepFacts[], cached?: string): number {
  const ends = new Map<string, number>();
  for (const step of steps) {
    const start = Math.max(0, ...step.inputs.map((id) => ends.get(id) ?? 0));
    ends.set(step.id, start + (step.id === cached ? 0 : timeOf(step)));
  }
  return Math.max(0, ...ends.values());
}
