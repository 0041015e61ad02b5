import type { OpPorts } from '../ops/resolve-op.ts';
import { imageStepsOf, leafStepsOf } from '../plan/image-steps.ts';
import type { JointPlan } from '../plan/plan-targets.ts';

/** Which steps are part of an image, and of which nothing else is needed. */
export type StepRoles = Pick<OpPorts, 'imageSteps' | 'leafSteps'>;

/** Finds the roles of the steps of all targets. */
export function stepRoles({ targets, graph }: JointPlan): StepRoles {
  const made = targets.filter(({ session }) => !session.isLink);
  const imageSteps = imageStepsOf(made.flatMap(({ plan }) => plan.plans));
  const roles = made.map(({ session, plan }) => {
    const own = imageStepsOf(plan.plans);
    return { own, leaves: leafStepsOf(own, graph, session.inputs.request) };
  });
  // A step is a leaf only if it is one for every target that has it.
  const leafSteps = new Set(
    [...imageSteps].filter((step) => roles.every(({ own, leaves }) => !own.has(step) || leaves.has(step))),
  );
  return { imageSteps, leafSteps };
}
