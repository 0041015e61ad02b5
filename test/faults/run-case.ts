import { createHash } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/random.ts';
import { scratchDirectory } from '../support/scratch.ts';
import { endLeftovers, requireNothingLeft } from './case-leftovers.ts';
import type { FaultContext, FaultRow } from './fault-row.ts';

export interface Case {
  readonly row: FaultRow;
  readonly seed: number;
  readonly number: number;
  /** The operations of the plan to keep, counted from 0. Default: all. */
  readonly keep?: readonly number[];
  /** See {@link FaultContext.size}. Default: 1. */
  readonly size?: number;
}

export interface CaseResult {
  /** Why it failed: a sentence, then details. */
  readonly failure?: string;
  readonly counts: ReadonlyMap<string, number>;
  /** The number of operations in the plan. */
  readonly operations: number;
}

export interface CaseOptions {
  /** Ends the case as a failure. */
  readonly signal?: AbortSignal;
  /** An empty directory for the case, which stays when it fails, and which the failure names. Default: one that never stays. */
  readonly directory?: string;
}

/** Milliseconds after which a case of size 1 hangs. */
const LIMIT = Math.round(120_000 * patience);

/** Runs a case and returns what it counted and why it failed. Throws nothing. */
export async function runCase(
  { row, seed, number, keep, size = 1 }: Case,
  { signal, directory: lasting }: CaseOptions = {},
): Promise<CaseResult> {
  const counts = new Map<string, number>();
  // No timer takes more.
  const most = Math.min(LIMIT * Math.max(1, size), 2 ** 31 - 1);
  const limit = AbortSignal.timeout(most);
  const directory = lasting ?? scratchDirectory(row.name);
  let operations = 0;
  const context: FaultContext = {
    random: seededRandom(seedOf(`${seed} ${row.name} ${number}`)),
    number,
    directory,
    signal: AbortSignal.any([limit, ...(signal === undefined ? [] : [signal])]),
    size,
    count: (what, n = 1) => void counts.set(what, (counts.get(what) ?? 0) + n),
    fail(sentence, details) {
      throw new FaultError(details === undefined ? sentence : `${sentence}\n${shortened(details.trimEnd())}`);
    },
    plan(all) {
      operations = all.length;
      return keep === undefined ? all : all.filter((_, index) => keep.includes(index));
    },
  };
  // Commands at once.
  setMaxListeners(0, context.signal);
  try {
    await Promise.race([row.run(context), hangAfterAbort(context.signal)]);
    context.signal.throwIfAborted();
    await requireNothingLeft(context);
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    return { counts, operations };
  } catch (error) {
    const reasons = new Set([text(error)]);
    if (limit.aborted) reasons.add(`The case did not end within ${most / 1000} s`);
    else if (signal?.aborted) reasons.add(text(signal.reason));
    await endLeftovers(directory);
    if (lasting === undefined) await removeLater(directory);
    const place = lasting === undefined ? '' : `\nIts files are in ${directory}`;
    return { failure: `${[...reasons].join('\n')}${place}`, counts, operations };
  }
}

/** How long a row has to end after the abort, so that its own error is reported. Milliseconds. */
const GRACE = 60_000;

/** Throws when a case is still not over some time after its abort. */
async function hangAfterAbort(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  await sleep(GRACE, undefined, { ref: false });
  throw new FaultError('The case does not end after its abort');
}

/** What a killed process had given to the kernel may still appear. It is removed with the files of the run. */
async function removeLater(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
}

/** The output of a command can be very long. */
function shortened(details: string): string {
  const lines = details.split('\n');
  return lines.length <= 100 ? details : [...lines.slice(0, 50), '…', ...lines.slice(-50)].join('\n');
}

/** A check of a case that does not hold. */
class FaultError extends Error {}

function text(error: unknown): string {
  if (error instanceof FaultError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function seedOf(words: string): number {
  return createHash('sha256').update(words).digest().readUInt32LE();
}

/** Returns the command that runs exactly this case again. */
export function replayCommand({ row, seed, number, keep, size = 1 }: Case): string {
  const kept = keep === undefined ? '' : ` --keep ${keep.join(',')}`;
  const sized = size === 1 ? '' : ` --size ${size}`;
  return `npm run test:faults -- --seed ${seed} --row ${row.name} --case ${number}${sized}${kept}`;
}
