import { nameWithin } from '@tbuild/graph';
import type { Progress, ProgressEvent } from '@tbuild/progress';

/**
 * Shows work for one target of several: its steps are named after the target, and are distinct from those of the same
 * name for others.
 */
export function targetProgress(target: string, progress: Progress): Progress {
  const idOf = (step: string): string => `${target} ${step}`;
  const within = (event: ProgressEvent): ProgressEvent => {
    if (event.type === 'planned')
      return {
        ...event,
        steps: event.steps.map(({ id, name }) => ({ id: idOf(id), name: nameWithin(target, name), target })),
      };
    return event.step === undefined ? event : { ...event, step: idOf(event.step) };
  };
  return { emit: (event) => progress.emit(within(event)) };
}
