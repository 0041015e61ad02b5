import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { mountsNaming, processesNaming } from '../support/leftovers.ts';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/random.ts';
import { scratchDirectory } from '../support/scratch.ts';
import type { FaultContext, FaultRow } from './fault-row.ts';

export interface Case {
  readonly row: FaultRow;
  readonly seed: number;
  readonly number: number;
  /** The operations of the plan to keep, counted from 0. Default: all. */
  readonly keep?: readonly number[];
}

export interface CaseResult {
  /** Why it failed: a sentence, then details. */
  readonly failure?: string;
  readonly counts: ReadonlyMap<string, number>;
  /** The number of operations in the plan. */
  readonly operations: number;
}

export interface CaseOptions {
  readonly signal?: AbortSignal;
  /** Leaves the directory of a case that fails, and names it in the failure. */
  readonly keepsDirectory?: boolean;
}

/** Milliseconds after which a case hangs. */
const LIMIT = Math.round(120_000 * patience);

/** Runs a case and returns what it counted and why it failed. Throws nothing. */
export async function runCase(
  { row, seed, number, keep }: Case,
  { signal, keepsDirectory = false }: CaseOptions = {},
): Promise<CaseResult> {
  const counts = new Map<string, number>();
  const limit = AbortSignal.timeout(LIMIT);
  const directory = keepsDirectory ? mkdtempSync(join(tmpdir(), `tbuild-${row.name}-`)) : scratchDirectory(row.name);
  let operations = 0;
  const context: FaultContext = {
    random: seededRandom(seedOf(`${seed} ${row.name} ${number}`)),
    directory,
    signal: AbortSignal.any([limit, ...(signal === undefined ? [] : [signal])]),
    count: (what, n = 1) => void counts.set(what, (counts.get(what) ?? 0) + n),
    fail(sentence, details) {
      throw new FaultError(details === undefined ? sentence : `${sentence}\n${details.trimEnd()}`);
    },
    plan(all) {
      operations = all.length;
      return keep === undefined ? all : all.filter((_, index) => keep.includes(index));
    },
  };
  try {
    await row.run(context);
    await requireNothingLeft(context);
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    return { counts, operations };
  } catch (error) {
    const reason = limit.aborted ? `The case did not end within ${LIMIT / 1000} s\n${text(error)}` : text(error);
    if (!keepsDirectory) await removeLater(directory);
    const place = keepsDirectory ? `\nIts files are in ${directory}` : '';
    return { failure: `${reason}${place}`, counts, operations };
  }
}

/** A case that failed may still have processes. What they write after a while is removed with the files of the run. */
async function removeLater(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
}

/** Every case also checks that nothing it started is left: background work ends by itself. */
async function requireNothingLeft({ directory, signal, fail }: FaultContext): Promise<void> {
  const left = () => [...processesNaming(directory).map((pid) => `process ${pid}`), ...mountsOf(directory)];
  let found: readonly string[] = [];
  // A process that starts another one may be gone before that one has its name.
  const isGone = () => (found = left()).length === 0;
  await eventually(() => signal.aborted || (isGone() && isGone()));
  if (found.length > 0) fail('Processes or mounts are left', found.join('\n'));
}

/** Every process with a mount namespace of its own has a copy of the disks that a case mounts for itself. */
function mountsOf(directory: string): readonly string[] {
  const own = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mountsNaming(directory).filter((line) => line.includes(' - overlay ') || own.includes(line));
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
export function replayCommand({ row, seed, number, keep }: Case): string {
  const kept = keep === undefined ? '' : ` --keep ${keep.join(',')}`;
  return `npm run test:faults -- --seed ${seed} --row ${row.name} --case ${number}${kept}`;
}
