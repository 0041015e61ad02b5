import type { ProgressStepId } from '@tbuild/progress';
import { stepsIn, timeOf, type BuildView, type StepView } from './build-view.ts';
import { formatSeconds } from './format.ts';
import type { PlainPrinter } from './plain.ts';
import { hasDue, MAX_WAITING, newLines, printedSteps, takeLines } from './step-lines.ts';

/** A step that takes longer is written while it runs. */
const HELD_FOR = 30_000;

export interface SectionOptions {
  /** The beginning of the names of sections, which must be unique in the log of a job. */
  readonly name: string;
  readonly explain?: boolean;
  readonly color?: boolean;
}

/** Prints each step as a section of a GitLab job. */
export interface SectionPrinter extends PlainPrinter {
  /** Prints everything that is left and closes the open section. */
  end(view: BuildView, now: number): void;
}

/**
 * Prints each step as a section that GitLab can fold. A step's output is kept back until it ends, so that its section
 * can be collapsed, or open if it failed. A step that runs for longer is written as it goes on, in an open section;
 * sections cannot overlap, so steps that end beside it wait for it, at most as long again.
 */
export function createSectionPrinter(write: (text: string) => void, options: SectionOptions): SectionPrinter {
  const stateOf = printedSteps();
  const { begin, printNews, printWhole } = sectionWriter(write, stateOf, options);
  let open: Section | undefined;

  const pause = (now: number): void => {
    open?.end(now);
    open = undefined;
  };
  const printOpen = ({ id }: Section, view: BuildView, now: number): void => {
    const step = view.steps.get(id);
    if (step === undefined) return;
    const state = stateOf(step, now);
    if (step.updates !== state.updates || hasDue(step, state, now)) printNews(step, now);
    if (step.state !== 'running') pause(step.finishedAt ?? now);
  };
  const print = (view: BuildView, now: number, hold = HELD_FOR): void => {
    if (open !== undefined) printOpen(open, view, now);
    const ended = view.finished
      .flatMap((id) => view.steps.get(id) ?? [])
      .filter((step) => step.updates !== stateOf(step, now).updates);
    if (ended.some(({ finishedAt = now }) => now - finishedAt >= hold)) pause(now);
    if (open !== undefined) return;
    for (const step of ended) printWhole(step, now);
    const long = stepsIn(view, 'running').find(
      (step) => now - (step.startedAt ?? now) >= HELD_FOR || stateOf(step, now).waiting.length >= MAX_WAITING,
    );
    if (long === undefined) return;
    open = begin(long, long.startedAt ?? now);
    printNews(long, now);
  };

  return {
    take(view, id, now) {
      const step = view.steps.get(id);
      if (step === undefined || step.index === 0) return false;
      return takeLines(step, stateOf(step, now)).length >= MAX_WAITING;
    },
    print: (view, now) => print(view, now),
    end(view, now) {
      print(view, now, 0);
      pause(now);
      for (const step of stepsIn(view, 'running')) printWhole(step, now);
    },
  };
}

/** A section that has begun. */
interface Section {
  readonly id: ProgressStepId;
  end(at: number): void;
}

function sectionWriter(
  write: (text: string) => void,
  stateOf: ReturnType<typeof printedSteps>,
  { name, explain = false, color = true }: SectionOptions,
) {
  const parts = new Map<ProgressStepId, number>();
  const begin = (step: StepView, at: number): Section => {
    const part = (parts.get(step.id) ?? 0) + 1;
    parts.set(step.id, part);
    const section = `${name}_${step.index}${part === 1 ? '' : `_${part}`}`;
    const folded = step.state === 'built' || step.state === 'cached' ? '[collapsed=true]' : '';
    write(`${CLEAR}section_start:${inSeconds(at)}:${section}${folded}\r${CLEAR}${headerOf(step, color)}\n`);
    return {
      id: step.id,
      end: (endedAt) => write(`${CLEAR}section_end:${inSeconds(endedAt)}:${section}\r${CLEAR}\n`),
    };
  };
  const printNews = (step: StepView, now: number): void => {
    const state = stateOf(step, now);
    const lines = newLines(step, state, { explain, now });
    if (lines.length > 0) write(lines.map((line) => `#${step.index} ${line}\n`).join(''));
    state.updates = step.updates;
    state.finishedAt = step.finishedAt;
  };
  const printWhole = (step: StepView, now: number): void => {
    const at = step.finishedAt ?? now;
    const section = begin(step, at - timeOf(step, now));
    printNews(step, now);
    section.end(at);
  };
  return { begin, printNews, printWhole };
}

/** Clears the line, which hides the words that GitLab reads. */
const CLEAR = '\x1b[0K';

function inSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

const COLOURS: Readonly<Record<StepView['state'], number>> = {
  waiting: 0,
  running: 36,
  built: 32,
  cached: 34,
  failed: 31,
  cancelled: 33,
};

const OUTCOMES: Readonly<Partial<Record<StepView['state'], string>>> = {
  cached: 'CACHED',
  failed: 'ERROR',
  cancelled: 'CANCELED',
};

function headerOf(step: StepView, color: boolean): string {
  const { index, name, state, finishedAt } = step;
  const time = formatSeconds(timeOf(step, finishedAt ?? 0));
  const outcome = OUTCOMES[state] ?? time;
  const text = finishedAt === undefined ? `#${index} ${name}` : `#${index} ${name} ${outcome}`;
  return color ? `\x1b[${COLOURS[state]};1m${text}\x1b[0m` : text;
}
