import type { ProgressEvent, ProgressStepId } from '@tbuild/progress';
import type { BuildView, StepView } from './build-view.ts';
import type { LogLine } from './log-lines.ts';

/** Keeps the output of steps for those that fail: a view holds only the end of it. */
export interface KeptOutput {
  /** Takes the output that an event brought. Forgets the output of a step that did not fail. */
  take(view: BuildView, event: ProgressEvent): void;
  of(step: StepView): {
    readonly lines: readonly LogLine[];
    /** How many older lines were dropped. */ readonly omitted: number;
  };
}

/** A terminal hardly scrolls back further. Without a limit, a step that prints without end would exhaust the memory. */
const MOST_LINES = 100_000;

export function createKeptOutput(): KeptOutput {
  const kept = new Map<ProgressStepId, { lines: LogLine[]; count: number }>();
  const takeLines = ({ id, log }: StepView): void => {
    const known = kept.get(id) ?? { lines: [], count: 0 };
    if (log.count === known.count) return;
    for (const line of log.lines.slice(known.count - log.count)) known.lines.push(line);
    known.count = log.count;
    // Not at every line, since moving the others takes time.
    if (known.lines.length > MOST_LINES * 1.5) known.lines = known.lines.slice(-MOST_LINES);
    kept.set(id, known);
  };
  return {
    take(view, event) {
      if (event.type !== 'log' && event.type !== 'finished') return;
      const step = view.steps.get(event.step);
      if (step === undefined) return;
      if (step.state === 'running' || step.state === 'failed') takeLines(step);
      else kept.delete(step.id);
    },
    of({ id }) {
      const { lines, count } = kept.get(id) ?? { lines: [], count: 0 };
      const shown = lines.slice(-MOST_LINES);
      return { lines: shown, omitted: count - shown.length };
    },
  };
}
