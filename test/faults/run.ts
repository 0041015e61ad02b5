// Breaks tbuild on purpose.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import globalSetup from '../support/global-setup.ts';
import { numberOf, readOptions, refuse } from '../support/options.ts';
import { needs } from '../support/requirements.ts';
import type { FaultRow } from './fault-row.ts';
import { rows } from './rows/index.ts';
import { replayCommand, runCase, type Case } from './run-case.ts';
import { shrinkCase } from './shrink.ts';

const USAGE = 'npm run test:faults -- [--seed S] [--minutes M] [--row NAME,…] [--size N] [--case N [--keep 0,3,…]]';
const values = readOptions(USAGE, {
  seed: { type: 'string', default: '1' },
  minutes: { type: 'string', default: '2' },
  row: { type: 'string' },
  size: { type: 'string', default: '1' },
  case: { type: 'string' },
  keep: { type: 'string' },
});
/** A row with more failures ends early: its cases fail for one reason. */
const MOST_FAILURES = 20;
const seed = numberOf('--seed', values.seed);
const size = numberOf('--size', values.size);
const minutes = numberOf('--minutes', values.minutes);
const number = values.case === undefined ? undefined : numberOf('--case', values.case);
const names = values.row?.split(',');
const unknown = names?.find((name) => !rows.some((row) => row.name === name));
if (unknown !== undefined) refuse(`There is no row "${unknown}", only ${rows.map(({ name }) => name).join(', ')}`);
if (number !== undefined && names?.length !== 1) refuse('--case needs --row NAME');
/** Where the cases work. */
const place = mkdtempSync(join(tmpdir(), `tbuild-faults-${seed}-`));
chmodSync(place, 0o755);
const failed = new Set<string>();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
/** Rows run code of tbuild in this process too. What nobody catches fails the case that runs, and not the run. */
let uncaught = new AbortController();
process.on('uncaughtException', (error) => uncaught.abort(error));
// Without it, a case that waits for nothing would end the process.
const awake = setInterval(() => {}, 60_000);
const tearDown = await globalSetup();
try {
  const chosen = rows.filter(({ name }) => names?.includes(name) ?? true);
  const isSound = number === undefined ? await runForMinutes(chosen, minutes) : await runOne(chosen, number);
  if (!isSound) process.exitCode = 1;
} finally {
  clearInterval(awake);
  await tearDown();
  removePassed();
}
// A connection that a broken proxy left half open would keep the process for ever.
process.exit();

/** What the cases of a row came to. */
interface Tally {
  readonly row: FaultRow;
  cases: number;
  failures: number;
  milliseconds: number;
  readonly counts: Map<string, number>;
}

/** Gives each row the same time, a case at a time. Returns whether every case passed. */
async function runForMinutes(chosen: readonly FaultRow[], minutes: number): Promise<boolean> {
  const tallies = chosen
    .filter(isPossible)
    .map((row): Tally => ({ row, cases: 0, failures: 0, milliseconds: 0, counts: new Map() }));
  for (const end = Date.now() + minutes * 60_000; Date.now() < end && !interruption.signal.aborted;) {
    const going = tallies.filter(({ failures }) => failures < MOST_FAILURES);
    if (going.length === 0) break;
    const next = going.reduce((least, tally) => (tally.milliseconds < least.milliseconds ? tally : least));
    const began = Date.now();
    await addCase(next);
    next.milliseconds += Date.now() - began;
  }
  console.log(`With --seed ${seed}:`);
  for (const tally of tallies) console.log(lineOf(tally));
  return tallies.length > 0 && tallies.every(({ cases, failures }) => cases > 0 && failures === 0);
}

function isPossible({ name, needs: needed = [] }: FaultRow): boolean {
  const lacks = needs(...needed).meta?.lacks;
  if (lacks !== undefined) console.log(`${name}: skipped, this machine lacks ${lacks}`);
  return lacks === undefined;
}

async function addCase(tally: Tally): Promise<void> {
  const one: Case = { row: tally.row, seed, size, number: tally.cases + 1 };
  const { failure, counts, operations } = await runGuarded(one);
  if (interruption.signal.aborted) return;
  tally.cases++;
  for (const [what, n] of counts) tally.counts.set(what, (tally.counts.get(what) ?? 0) + n);
  if (failure === undefined) return;
  tally.failures++;
  console.log(`FAILED ${replayCommand(one)}\n${failure}`);
  if (operations < 2) return;
  const smaller = await shrinkCase(one, operations, { signal: interruption.signal });
  console.log(`It also fails with ${smaller.keep?.length} of its ${operations} operations: ${replayCommand(smaller)}`);
}

/** Runs a case whose files stay when it fails. */
async function runGuarded(one: Case): ReturnType<typeof runCase> {
  uncaught = new AbortController();
  const signal = AbortSignal.any([interruption.signal, uncaught.signal]);
  const name = `${one.row.name}-${one.number}`;
  mkdirSync(join(place, name));
  const result = await runCase(one, { signal, directory: join(place, name) });
  if (result.failure !== undefined && !interruption.signal.aborted) failed.add(name);
  return result;
}

/** Removes all but the files of cases that failed. */
function removePassed(): void {
  for (const name of readdirSync(place).filter((each) => !failed.has(each)))
    rmSync(join(place, name), { recursive: true, force: true, maxRetries: 10 });
  if (failed.size === 0) rmSync(place, { recursive: true });
}

function lineOf({ row, cases, failures, milliseconds, counts }: Tally): string {
  const figures = [...counts].toSorted().map(([what, n]) => `${n} ${what}`);
  const seconds = Math.round(milliseconds / 1000);
  return [`${row.name}: ${cases} cases in ${seconds} s`, ...figures, `${failures} failed`].join(', ');
}

/** Runs one case of one row. */
async function runOne(chosen: readonly FaultRow[], number: number): Promise<boolean> {
  const [row] = chosen;
  if (row === undefined) throw new Error('A case is of a row');
  const keep = values.keep?.split(',').map(Number);
  const { failure, counts } = await runGuarded({ row, seed, size, number, keep });
  console.log(`${failure ?? 'passed'}\n${[...counts].map(([what, n]) => `${n} ${what}`).join(', ')}`);
  return failure === undefined;
}
