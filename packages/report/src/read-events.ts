import type { ProgressEvent, ProgressStepId } from '@tbuild/progress';
import type { BuildFacts, StepFacts, WarningFacts } from './report-data.ts';

/** An event, and when it arrived, in milliseconds since 1970. */
export interface TimedEvent {
  readonly at: number;
  readonly event: ProgressEvent;
}

/** The characters of a step's output that are kept at its beginning, and again at its end. */
const KEPT = 1_000_000;

/** Returns the steps and warnings of a build that ended at `finishedAt`, from what happened in it. */
export function readEvents(events: Iterable<TimedEvent>, finishedAt: number): Pick<BuildFacts, 'steps' | 'warnings'> {
  const steps = new Map<ProgressStepId, OpenStep>();
  const warnings: WarningFacts[] = [];
  for (const { at, event } of events) {
    if (event.type === 'planned') for (const { id, ...step } of event.steps) Object.assign(stepOf(steps, id), step);
    else if (event.type === 'warning') warnings.push(warningOf(event));
    else apply(stepOf(steps, event.step), event, at);
  }
  return { warnings, steps: [...steps].map(([id, step]) => ({ id, ...closed(step, finishedAt) })) };
}

interface OpenSpan {
  from: number;
  to?: number;
}

/** A step while it is recorded. */
interface OpenStep {
  name: string;
  inputs?: StepFacts['inputs'];
  location?: StepFacts['location'];
  outcome?: StepFacts['outcome'];
  reason?: string;
  changes?: readonly string[];
  error?: string;
  readonly waits: OpenSpan[];
  readonly runs: OpenSpan[];
  readonly transfers: Map<string, { from: number; to: number; bytes: number }>;
  readonly log: [number, string][];
  /** The characters in `log`. */
  logged: number;
  readonly decoder: TextDecoder;
}

function stepOf(steps: Map<ProgressStepId, OpenStep>, id: ProgressStepId): OpenStep {
  const known = steps.get(id);
  if (known !== undefined) return known;
  const step = { name: id, waits: [], runs: [], transfers: new Map(), log: [], logged: 0, decoder: new TextDecoder() };
  steps.set(id, step);
  return step;
}

type StepEvent = Exclude<ProgressEvent, { type: 'planned' | 'warning' }>;

function apply(step: OpenStep, event: StepEvent, now: number): void {
  switch (event.type) {
    case 'waiting':
      step.waits.push({ from: event.at });
      break;
    case 'started':
      end(step.waits, event.at);
      step.runs.push({ from: event.at });
      break;
    case 'finished':
      if (step.runs.length === 0) step.runs.push({ from: event.at });
      end(step.waits, event.at);
      end(step.runs, event.at);
      Object.assign(step, {
        outcome: event.outcome,
        reason: event.reason ?? step.reason,
        changes: event.changes ?? step.changes,
        error: event.error,
      });
      break;
    case 'log':
      append(step, now, step.decoder.decode(event.data, { stream: true }));
      break;
    case 'transfer': {
      const known = step.transfers.get(event.item);
      step.transfers.set(event.item, { from: known?.from ?? now, to: now, bytes: event.current });
    }
  }
}

function end(spans: readonly OpenSpan[], at: number): void {
  const last = spans.at(-1);
  if (last !== undefined) last.to ??= at;
}

/** Milliseconds. Output that comes closer together has one time. */
const TOGETHER = 20;

function append(step: OpenStep, at: number, text: string): void {
  const last = step.log.at(-1);
  if (last !== undefined && at - last[0] < TOGETHER) last[1] += text;
  else step.log.push([at, text]);
  step.logged += text.length;
  if (step.logged > 4 * KEPT) omitMiddle(step);
}

function omitMiddle(step: OpenStep): void {
  const { log } = step;
  const text = log.map(([, part]) => part).join('');
  const omitted = '\n[… the middle of the output is not in this report …]\n';
  const [first = 0, last = 0] = [log[0]?.[0], log.at(-1)?.[0]];
  log.splice(0, log.length, [first, text.slice(0, KEPT) + omitted], [last, text.slice(-KEPT)]);
  step.logged = 2 * KEPT;
}

function closed(step: OpenStep, at: number): Omit<StepFacts, 'id'> {
  const { name, inputs = [], location, outcome, reason, changes, error, log } = step;
  const close = (spans: readonly OpenSpan[]) => spans.map(({ from, to = at }) => ({ from, to }));
  const transfers = [...step.transfers].map(([item, transfer]) => ({ item, ...transfer }));
  return {
    name,
    inputs,
    location,
    outcome,
    reason,
    changes,
    error,
    log,
    waits: close(step.waits),
    runs: close(step.runs),
    transfers,
  };
}

function warningOf({ message, location, detail, url }: Extract<ProgressEvent, { type: 'warning' }>): WarningFacts {
  return { message, location, detail, url };
}
