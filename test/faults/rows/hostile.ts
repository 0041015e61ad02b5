import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TbuildError } from '@tbuild/errors';
import { seededRandom } from '../../support/random.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { ANSWERS } from '../hostile/answers.ts';
import { ARCHIVES } from '../hostile/archives.ts';
import { DOCUMENTS } from '../hostile/documents.ts';
import { GIT_OUTPUT } from '../hostile/git-output.ts';
import type { HostileKind } from '../hostile/hostile-kind.ts';
import { RECORDINGS } from '../hostile/recordings.ts';
import { REPOSITORIES } from '../hostile/repositories.ts';
import { STATEMENTS } from '../hostile/statements.ts';
import { TEXTS } from '../hostile/texts.ts';

const KINDS: readonly HostileKind[] = [
  ...TEXTS,
  ...DOCUMENTS,
  ...ARCHIVES,
  ...RECORDINGS,
  ...REPOSITORIES,
  ...ANSWERS,
  ...GIT_OUTPUT,
  ...STATEMENTS,
];

/** Reading an input of a few kilobytes takes this much processor time only if the time grows out of all proportion. */
const HANG = 5_000;

export const row: FaultRow = {
  name: 'hostile',
  title: 'Hostile input is read or refused with an error for users, and writes nothing outside of its place',
  needs: ['root', 'git'],
  brief: KINDS.map((_, at) => at + 1),
  run: readHostile,
};

/** Reads many inputs of one kind: each case takes the next kind. */
async function readHostile(context: FaultContext): Promise<void> {
  const { random, number, size, directory, signal } = context;
  const kind = KINDS[(number - 1) % KINDS.length]!;
  const inputs = Math.ceil((kind.inputs ?? 500) * size);
  const seeds = context.plan(Array.from({ length: inputs }, () => random.int(2 ** 31)));
  const place = join(directory, 'place');
  mkdirSync(place);
  kind.prepare?.(place);
  const prepared = namesIn(place);
  writeFileSync(join(directory, 'outside'), '');
  for (const seed of seeds) {
    // Most readers wait for nothing: no limit of time would end the case, and what weak references name be kept.
    await nextTurn();
    signal.throwIfAborted();
    const input: unknown = kind.make(seededRandom(seed));
    const fail = (what: string, details?: string) => context.fail(`${kind.name}: ${shown(input)} ${what}`, details);
    const began = process.cpuUsage();
    const outcome = await outcomeOf(kind.read(input, { directory: place, signal }));
    const { user, system } = process.cpuUsage(began);
    if (outcome !== 'read' && outcome !== 'refused') fail('makes an error that is none for users', outcome);
    if ((user + system) / 1000 > HANG) fail(`takes ${(user + system) / 1000} ms`);
    if (namesIn(directory) !== 'outside,place') fail('writes outside of its place');
    if (kind.prepare !== undefined && namesIn(place) !== prepared) fail('writes, and should only read');
    if (kind.prepare === undefined && namesIn(place) !== '') {
      rmSync(place, { recursive: true });
      mkdirSync(place);
    }
    context.count(`inputs of ${kind.name} ${outcome}`);
  }
}

/** Linux names the newest first on some file systems. */
function namesIn(directory: string): string {
  return readdirSync(directory).toSorted().join();
}

function shown(input: unknown): string {
  const text = JSON.stringify(input, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value).toString('latin1') : value,
  );
  return text.replaceAll(/(\\u0000){8,}/g, '…').slice(0, 3000);
}

/** Returns `read`, `refused`, or an error that is none for users. */
async function outcomeOf(reading: Promise<void>): Promise<string> {
  try {
    await reading;
    return 'read';
  } catch (error) {
    if (error instanceof TbuildError) return 'refused';
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
