import { appendFileSync, writeFileSync } from 'node:fs';
import { hasCode, messageOf, TbuildError } from '@tbuild/errors';
import type { Graph, Step } from '@tbuild/graph';
import { makeDirectory } from '@tbuild/linux';
import type { RuntimeConfig } from '@tbuild/oci';
import type { Outcome, Progress, ProgressEvent } from '@tbuild/progress';
import { encodeNote, type StoreLayout, writeAtomically } from '@tbuild/store';
import { eventsFile, failedTreeFile, recordFile } from './build-files.ts';
import {
  type BuildRecord,
  encodeRecord,
  type FailedStep,
  type RecordedError,
  type RecordedImage,
  type StepCounts,
} from './build-record.ts';
import { encodeEvent, type TimedEvent } from './event-lines.ts';
import { type Encode, encoderWithout, variablesWithout, withoutSecrets } from './without-secrets.ts';

/** What is known of a build before it starts. */
export type AskedRecord = Pick<BuildRecord, 'id' | 'name' | 'startedAt' | 'host' | 'requests' | 'settings'>;

/** Collects what a build does, and writes it to the store when it has ended. */
export interface Recorder extends Progress {
  definition(definition: { readonly name: string; readonly text: string }): void;
  planned(graph: Graph, images: readonly PlannedImage[]): void;
  solved(step: string, solved: { readonly key: string; readonly result: string }): void;
  /** A process failed and left a tree. */
  failed(failed: FailedStep): void;
  /** Writes the record of a build that made these results, by target. */
  completed(results: Readonly<Record<string, unknown>>): void;
  /** Writes the record of a build that failed or was cancelled. */
  ended(error: unknown): void;
}

/** An image that a build plans to make. */
export interface PlannedImage {
  readonly target: string;
  readonly step?: string;
  readonly config: RuntimeConfig;
}

export interface RecorderOptions {
  readonly store: Pick<StoreLayout, 'build'>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** In bytes of output: how much waits in memory before it is written, and how much a record keeps. */
const FLUSH_AT = 1 << 18;
const MOST_OUTPUT = 64 << 20;

/** Opens the record of a build. Nothing is written before it ends, unless it prints much. */
export function openRecorder(asked: AskedRecord, { store, now }: RecorderOptions): Recorder {
  const directory = store.build(asked.id);
  const definitions: Record<string, string> = {};
  const solved = new Map<string, { readonly key: string; readonly result: string }>();
  let steps: readonly Step[] = [];
  let images: readonly RecordedImage[] = [];
  let failed: FailedStep | undefined;
  let warnings = 0;
  const outcomes = new Map<string, Outcome>();
  const [encode, withoutValues] = [encoderWithout(asked.requests), variablesWithout(asked.requests)];
  const events = openEvents(directory, encode);
  const write = (end: Pick<BuildRecord, 'status' | 'results' | 'error'>): void =>
    attempt(() => {
      makeDirectory(directory);
      events.flush();
      if (failed !== undefined) writeFileSync(failedTreeFile(directory), failed.tree);
      const ids = new Set<string>(steps.map(({ id }) => id));
      const counts = countsOf(ids, outcomes);
      const record = {
        ...asked,
        requests: Object.fromEntries(Object.entries(asked.requests).map(([name, one]) => [name, withoutSecrets(one)])),
        completedAt: now(),
        definitions,
        steps: steps.map((step) => ({ ...planOf(step, withoutValues), ...solved.get(step.id) })),
        images,
        counts,
        warnings,
        failed,
        ...end,
      };
      save(recordFile(directory), encodeRecord(record, encode));
    });
  return {
    emit(event) {
      if (event.type === 'finished') outcomes.set(event.step, event.outcome);
      if (event.type === 'warning') warnings++;
      events.add({ at: now(), event });
    },
    definition: ({ name, text }) => void (definitions[name] = text),
    planned(graph, planned) {
      steps = [...graph.steps.values()];
      images = planned.map((image) => imageOf(image, withoutValues));
    },
    solved: (step, one) => void solved.set(step, { key: one.key, result: one.result }),
    failed: (one) => void (failed = one),
    completed: (results) => write({ status: 'completed', results }),
    ended: (error) =>
      write({ status: hasCode(error, 'CANCELLED') ? 'canceled' : 'error', results: {}, error: errorOf(error) }),
  };
}

function save(file: string, record: string): void {
  writeAtomically(file, encodeNote(file, record));
}

/** A record is worth nothing compared with the build: a full disk costs only the record. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The build goes on without it.
  }
}

interface Events {
  add(event: TimedEvent): void;
  flush(): void;
}

function openEvents(directory: string, encode: Encode): Events {
  let pending: TimedEvent[] = [];
  let [waiting, kept] = [0, 0];
  const shown = new Set<string>();
  const flush = (): void => {
    const lines = pending.map((one) => encodeEvent(one, encode)).join('');
    [pending, waiting] = [[], 0];
    makeDirectory(directory);
    appendFileSync(eventsFile(directory), lines);
  };
  return {
    add(timed) {
      const { event } = timed;
      if (event.type === 'log') {
        if (kept > MOST_OUTPUT) return;
        kept += event.data.length;
        waiting += event.data.length;
        if (kept > MOST_OUTPUT) return void pending.push(clipped(timed, event.step));
      }
      if (event.type === 'transfer' && !isTold(event, shown)) return;
      pending.push(timed);
      if (waiting > FLUSH_AT) attempt(flush);
    },
    flush,
  };
}

function clipped({ at }: TimedEvent, step: string): TimedEvent {
  const data = Buffer.from('\n[the record of this build keeps no more output]\n');
  return { at, event: { type: 'log', step, stream: 'stderr', data } };
}

/** Keeps the beginning and the end of a transfer. */
function isTold(
  { step, item, current, total, done }: Extract<ProgressEvent, { type: 'transfer' }>,
  shown: Set<string>,
) {
  const name = `${step}\0${item}`;
  if (shown.has(name)) return done === true || current === total;
  shown.add(name);
  return true;
}

function countsOf(ids: ReadonlySet<string>, outcomes: ReadonlyMap<string, Outcome>): StepCounts {
  const count = (outcome: Outcome): number => [...ids].filter((id) => outcomes.get(id) === outcome).length;
  return { total: ids.size, cached: count('cached'), built: count('built') };
}

type HideValues = ReturnType<typeof variablesWithout>;

function planOf({ id, name, op, target, base, sources, location }: Step, withoutValues: HideValues) {
  const run = op.kind === 'run' ? { ...op, env: withoutValues(op.env) } : undefined;
  return { id, name, kind: op.kind, target, base, sources, location, run, image: op.kind === 'image' ? op : undefined };
}

function imageOf({ target, step, config }: PlannedImage, withoutValues: HideValues): RecordedImage {
  const { Env = [], WorkingDir = '/', User = '' } = config;
  return { target, step, env: withoutValues(Env), cwd: WorkingDir, user: User };
}

function errorOf(error: unknown): RecordedError {
  if (!(error instanceof TbuildError)) return { message: messageOf(error) };
  const { code, message, hint, location } = error;
  return { code, message, hint, location };
}
