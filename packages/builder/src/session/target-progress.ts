import { nameWithin } from '@tbuild/graph';
import type { Progress, ProgressEvent } from '@tbuild/progress';

/**
 * Shows work for one target of several: its steps and warnings are named after the target, and its steps are distinct
 * from those of the same name for others.
 */
export function targetProgress(target: string, progress: Progress): Progress {
  const idOf = (step: string): string => `${target} ${step}`;
  const within = (event: ProgressEvent): ProgressEvent => {
    if (event.type === 'planned')
      return {
        ...event,
        steps: event.steps.map(({ id, name }) => ({ id: idOf(id), name: nameWithin(target, name), target })),
      };
    const own = event.step === undefined ? event : { ...event, step: idOf(event.step) };
    return own.type === 'warning' ? { ...own, message: nameWithin(target, own.message) } : own;
  };
  return { emit: (event) => progress.emit(within(event)) };
}
