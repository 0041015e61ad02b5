import type { Plan } from '@tbuild/frontend';
import type { Graph, StepId } from '@tbuild/graph';
import type { BuildRequest } from './request.ts';

/** The steps whose layers the images are made of. */
export function layeredSteps(plans: readonly Plan[]): ReadonlySet<StepId> {
  return new Set(plans.flatMap(({ history }) => history.flatMap(({ step }) => (step === undefined ? [] : [step]))));
}

/** Those of them that nothing stands on or copies from, when no output wants files: only their layers are needed. */
export function topmostSteps(
  layered: ReadonlySet<StepId>,
  { steps }: Graph,
  { outputs }: Pick<BuildRequest, 'outputs'>,
): ReadonlySet<StepId> {
  if (outputs.some(({ type }) => type === 'local' || type === 'tar')) return new Set();
  const used = new Set([...steps.values()].flatMap(({ base, sources }) => [base, ...sources]));
  return new Set([...layered].filter((step) => !used.has(step)));
}
