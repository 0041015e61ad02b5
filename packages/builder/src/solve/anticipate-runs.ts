import type { Graph, Step, StepId } from '@tbuild/graph';
import type { SolvePorts } from './op-ports.ts';

/** Makes ready what RUN steps need. */
export interface AnticipatedRuns {
  /** Receives each solved step. */
  onSolved(step: Step): void;
  /**
   * Receives that a step is not cached. A RUN that is not solved yet most likely has to run as well: its network starts,
   * and the executor is chosen, which joins a control group in the background.
   */
  onUncached(): void;
}

/** Makes the RUN steps of a graph ready once, at the first step that is not cached. */
export function anticipateRuns(
  { steps }: Pick<Graph, 'steps'>,
  { network, executor }: Pick<SolvePorts, 'network' | 'executor'>,
): AnticipatedRuns {
  const unsolved = new Map<StepId, { readonly network: string }>();
  for (const { id, op } of steps.values()) if (op.kind === 'run') unsolved.set(id, op);
  let isReady = false;
  return {
    onSolved: ({ id }) => void unsolved.delete(id),
    onUncached() {
      if (isReady || unsolved.size === 0) return;
      isReady = true;
      if ([...unsolved.values()].some((op) => op.network === 'default')) network.start();
      // A step that cannot run reports it.
      executor().catch(() => {});
    },
  };
}
