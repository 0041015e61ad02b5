import type { Plan } from '@tbuild/frontend';
import type { Graph, StepId } from '@tbuild/graph';
import type { BuildRequest } from '../request.ts';

/** Returns the steps whose layers are part of the images. */
export function imageStepsOf(plans: readonly Plan[]): ReadonlySet<StepId> {
  return new Set(plans.flatMap(({ history }) => history.flatMap(({ step }) => (step === undefined ? [] : [step]))));
}

/** Returns the image steps that no step depends on, if no output needs files: only their layers are needed. */
export function leafStepsOf(
  imageSteps: ReadonlySet<StepId>,
  { steps }: Graph,
  { outputs, attestations }: Pick<BuildRequest, 'outputs' | 'attestations'>,
): ReadonlySet<StepId> {
  const wantsFiles = attestations?.sbom !== undefined || outputs.some(({ type }) => type === 'local' || type === 'tar');
  if (wantsFiles) return new Set();
  const used = new Set([...steps.values()].flatMap(({ base, sources }) => [base, ...sources]));
  return new Set([...imageSteps].filter((step) => !used.has(step)));
}
