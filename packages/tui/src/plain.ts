import type { ProgressStepId } from '@tbuild/progress';
import { stepsIn, type BuildView, type StepView } from './build-view.ts';
import { hasDue, MAX_WAITING, newLines, printedSteps, takeLines, type Printed } from './step-lines.ts';

/** Prints the news of each view as lines. */
export interface PlainPrinter {
  /**
   * Keeps a step's output of the latest event, since a view holds only the end of it. Returns whether so much waits
   * that it should be printed now.
   */
  take(view: BuildView, step: ProgressStepId, now: number): boolean;
  print(view: BuildView, now: number): void;
}

/** A step hidden for longer than this is shown next; a step shown alone keeps the screen for the second time. */
const MAX_HIDDEN = 10_000;
const MIN_SHOWN = 5_000;

/**
 * Prints like buildx's `--progress=plain`: the lines of one step stay together while it runs. Other steps wait until
 * they have finished, or until their share of the screen is due.
 */
export function createPlainPrinter(
  write: (text: string) => void,
  { explain = false }: { readonly explain?: boolean } = {},
): PlainPrinter {
  const stateOf = printedSteps();
  let current: StepView | undefined;
  let isFirst = true;

  const printStep = (step: StepView, now: number): void => {
    const state = stateOf(step, now);
    if (current?.id !== step.id) {
      if (current !== undefined) {
        write(`#${current.index} ...\n`);
        restart(current, stateOf(current, now), now);
      }
      write(`${isFirst ? '' : '\n'}#${step.index} ${step.name}\n`);
      isFirst = false;
    }
    const lines = newLines(step, state, { explain, now });
    if (lines.length > 0) write(lines.map((line) => `#${step.index} ${line}\n`).join(''));
    state.updates = step.updates;
    state.finishedAt = step.finishedAt;
    current = step.finishedAt === undefined ? step : undefined;
  };

  const print = (view: BuildView, now: number): void => {
    const running = stepsIn(view, 'running');
    for (const step of running) {
      const state = stateOf(step, now);
      if (step.updates === state.updatesBefore) state.blockedAt = now;
    }
    const changed = [...view.steps.values()].filter(
      (step) => step.index > 0 && step.updates !== stateOf(step, now).updates,
    );
    for (const step of finishedIn(view, changed, current?.id)) printStep(step, now);
    const still = running.find((step) => step.id === current?.id);
    if (still !== undefined && (changed.includes(still) || hasDue(still, stateOf(still, now), now)))
      printStep(still, now);
    const next = choose({ running, current: still, stateOf: (step) => stateOf(step, now), now });
    if (next !== undefined && next !== still) printStep(next, now);
  };

  const take = (view: BuildView, id: ProgressStepId, now: number): boolean => {
    const step = view.steps.get(id);
    if (step === undefined || step.index === 0) return false;
    return takeLines(step, stateOf(step, now)).length >= MAX_WAITING;
  };

  return { take, print };
}

/** Returns the finished steps: the one on the screen first, then in the order in which they finished. */
function finishedIn(
  { finished }: BuildView,
  steps: readonly StepView[],
  shown: ProgressStepId | undefined,
): readonly StepView[] {
  return steps
    .filter((step) => step.finishedAt !== undefined)
    .sort((a, b) => Number(b.id === shown) - Number(a.id === shown) || finished.indexOf(a.id) - finished.indexOf(b.id));
}

interface Choice {
  readonly running: readonly StepView[];
  /** The step that is on the screen. */
  readonly current: StepView | undefined;
  readonly stateOf: (step: StepView) => Printed;
  readonly now: number;
}

/** Chooses the step to show next among those with news, as buildx shares the screen. */
function choose({ running, current, stateOf, now }: Choice): StepView | undefined {
  const waited = (step: StepView): number => now - stateOf(step).blockedAt;
  const speed = (step: StepView): number => (step.updates - stateOf(step).updatesBefore) / Math.max(waited(step), 1);
  const others = running.filter((step) => step !== current && step.updates !== stateOf(step).updates);
  const fastest = others.reduce<StepView | undefined>(
    (best, step) => (best === undefined || speed(step) > speed(best) ? step : best),
    undefined,
  );
  if (current === undefined) return fastest ?? running[0];
  const overdue = others.find((step) => waited(step) > MAX_HIDDEN || stateOf(step).waiting.length >= MAX_WAITING);
  if (overdue !== undefined) return overdue;
  const share = speed(current) / [current, ...others].reduce((sum, step) => sum + speed(step), 0);
  return MIN_SHOWN / (1 - share) < waited(current) ? fastest : current;
}

function restart(step: StepView, state: Printed, now: number): void {
  state.blockedAt = now;
  state.updatesBefore = step.updates;
}
