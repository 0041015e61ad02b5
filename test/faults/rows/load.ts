import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { runChecked } from '../../support/run-process.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { buildArguments, runGood, writeFiles } from '../run-tbuild.ts';

/** Megabytes of the cache, of which a build adds more than two, and of what does not count: the named image and directories. */
const [CAP, NAMED] = [8, 4];

/** As many builds fill the cache to its cap. */
const FILLING = 4;

export const row: FaultRow = {
  name: 'load',
  title: 'The last of many builds in a row costs what the first did, and the store stays within its cap',
  needs: ['root', 'strace', 'time'],
  brief: [1],
  run: buildInARow,
};

async function buildInARow(context: FaultContext): Promise<void> {
  const { directory, size, count, fail } = context;
  const project = writeFiles(join(directory, 'project'), {
    Dockerfile: `FROM busybox AS build
COPY src /src
RUN cat /src/* > /all
FROM busybox
RUN echo same > /same
COPY --from=build /all /all
`,
    ...Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`src/${at}`, `${at}\n`.repeat(1000)])),
  });
  const costs: Cost[] = [];
  const build = async (): Promise<void> => void costs.push(await buildOnce(context, project, costs.length));
  while (costs.length < FILLING) await build();
  const first = await stateOf(context, project, -1);
  const builds = Math.round(6 * size);
  while (costs.length < FILLING + builds) await build();
  const last = await stateOf(context, project, -2);
  count('builds', costs.length);
  const part = Math.ceil(builds / 6);
  const figures: Readonly<Record<string, readonly [first: number, last: number]>> = {
    'ms of processor time': ends(costs.slice(FILLING), part, ({ time }) => time),
    'MB of memory': ends(costs.slice(FILLING), part, ({ memory }) => memory),
    'system calls': [first.calls, last.calls],
    'files in the store': [first.files, last.files],
    'MB in the store': [first.megabytes, last.megabytes],
  };
  for (const [what, [before, after]] of Object.entries(figures)) {
    count(`${what} first`, before);
    count(`${what} last`, after);
    // Processor time also depends on what else the machine does.
    if (after > before * (what === 'ms of processor time' ? 3 : 1.2))
      fail(`${what} of a build grew from ${before} to ${after} in ${builds} builds`);
  }
  if (last.megabytes > CAP + NAMED) fail(`The store has ${last.megabytes} MB, expected at most ${CAP + NAMED}`);
  await runGood(context, ['fsck']);
}

interface Cost {
  /** Milliseconds of processor time. */
  readonly time: number;
  /** The most resident megabytes. */
  readonly memory: number;
}

async function buildOnce(context: FaultContext, project: string, at: number): Promise<Cost> {
  const figures = join(context.directory, 'time');
  await build(context, project, at, ['time', '--quiet', '--format', '%U %S %M', '--output', figures]);
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(figures, 'utf8').split(' ').map(Number);
  return { time: Math.round((user + system) * 1000), memory: Math.round(kilobytes / 1024) };
}

async function build(context: FaultContext, project: string, at: number, through: readonly string[]): Promise<void> {
  // Every build adds as much as the others.
  writeFileSync(join(project, 'src/1'), `${String(at).padStart(9)}\n`.repeat(63_000));
  await runGood(context, buildArguments(project, '-t', 'app:1'), {
    through,
    env: { TBUILD_MAX_USED_SPACE: `${CAP}MB` },
  });
}

/** Counts the system calls of one more build, and what is in the store when it has been tidied. */
async function stateOf(context: FaultContext, project: string, at: number) {
  const { directory } = context;
  const atRest = () => eventually(() => processesNaming(directory).length === 0);
  await atRest();
  const log = join(directory, 'strace');
  await build(context, project, at, ['strace', '-f', '-c', '-U', 'calls', '-o', log]);
  await atRest();
  const store = join(directory, 'store');
  // Records of builds, of which 100 stay, are no part of the cache.
  const amount = async (...options: readonly string[]) =>
    Number.parseInt(await runChecked('du', ['-s', '--exclude=builds', ...options, store]), 10);
  return {
    calls: Number(/(\d+) total/.exec(readFileSync(log, 'utf8'))?.[1]),
    files: await amount('--inodes'),
    megabytes: await amount('--block-size=1M'),
  };
}

/** Returns the medians of the first and the last few. */
function ends(costs: readonly Cost[], few: number, figure: (cost: Cost) => number): readonly [number, number] {
  const median = (part: readonly Cost[]) => part.map(figure).toSorted((a, b) => a - b)[part.length >> 1] ?? 0;
  return [median(costs.slice(0, few)), median(costs.slice(-few))];
}
