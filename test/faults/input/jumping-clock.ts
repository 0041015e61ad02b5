import { lutimesSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../support/random.ts';
import type { FaultContext } from '../fault-row.ts';
import { manifestOf } from '../reference.ts';
import { buildArguments, runGood, type RunOptions, writeFiles } from '../run-tbuild.ts';

const COPIES = `FROM busybox
WORKDIR /made/on/the/way
COPY src /src
COPY --link src /linked
COPY <<end /inline
inline
end
`;

/** What a clock shows, one time after the other. */
type Clock = readonly string[];

const TIMES = ['1971-01-01 00:00:00', '1999-12-31 23:59:59', '2030-01-01 00:00:00', '2100-06-01 12:00:00'];

/** Seconds since 1970, the latest before the present: the kernel's time is that of the files of steps. */
const EPOCHS = [0, 1, 951_782_400, 1_700_000_000];

/** Builds files of all times by clocks that jump: the digest is that of a right clock, and the cache can be removed by it. */
export async function jumpClock(context: FaultContext): Promise<void> {
  const { random, directory, size, count, fail } = context;
  const epoch = random.pick(EPOCHS);
  const runs = random.int(2) === 0;
  const project = writeProject(directory, random, { epoch, Dockerfile: runs ? `${COPIES}RUN echo > /ran\n` : COPIES });
  // What a step made before the epoch keeps that time, as with BuildKit.
  const times = TIMES.filter((time) => !runs || Date.parse(time) >= epoch * 1000);
  const clocks = context.plan(
    Array.from({ length: Math.ceil(3 * size) }, (): Clock =>
      Array.from({ length: 1 + random.int(3) }, () => random.pick(times)),
    ),
  );
  const run = (args: readonly string[], store: string, clock: Clock) =>
    runGood(context, args, { ...byClock(join(directory, 'clock'), clock, epoch), store: join(directory, store) });
  const arguments_ = buildArguments(project, '-o', 'type=image,name=app:1,rewrite-timestamp=true');
  const build = async (store: string, clock: Clock) => manifestOf((await run(arguments_, store, clock)).stderr);
  const expected = await build('new', []);
  // The first store has two builds.
  for (const [at, clock] of clocks.entries()) {
    const found = await build(`store-${at >> 1}`, clock);
    if (found !== expected) fail(`By the clock ${clock.join(', then ')} the image is ${found}, expected ${expected}`);
    count('builds by another clock');
  }
  if ((await build('store-0', [])) !== expected) fail('With the clock right again the image is another one');
  await run(['fsck', '--full'], 'store-0', []);
  await run(['prune', '--all', '--force'], 'store-0', []);
  const left = readdirSync(join(directory, 'store-0/snapshots')).filter((name) => name !== '.active');
  if (left.length > 0) fail('A prune by the right clock leaves trees', left.join('\n'));
}

interface Project {
  readonly epoch: number;
  readonly Dockerfile: string;
}

/** Writes files with times around 1970 and the epoch. */
function writeProject(directory: string, random: Random, { epoch, Dockerfile }: Project): string {
  const project = writeFiles(join(directory, 'project'), { Dockerfile });
  const times = [-1_900_000_000, -1, 0, 1, epoch - 1, epoch, epoch + 1, 4_200_000_000, epoch + random.int(1000) / 1000];
  const files = Object.fromEntries(times.map((_, at) => [`${at}`, `${at}\n`]));
  writeFiles(join(project, 'src'), files);
  symlinkSync('0', join(project, 'src/link'));
  for (const [at, time] of [...times, -2.5].entries()) {
    // Node takes a negative number for the present.
    const date = new Date(time * 1000);
    lutimesSync(join(project, 'src', at === times.length ? 'link' : String(at)), date, date);
  }
  return project;
}

/** Returns the options of a program that sees the times of a clock, or the real time. It reads the clock from a file. */
function byClock(file: string, [first, ...others]: Clock, epoch: number): RunOptions {
  const env = { SOURCE_DATE_EPOCH: String(epoch) };
  if (first === undefined) return { env };
  const set = (time: string): void => {
    writeFileSync(`${file}.new`, `@${time}\n`);
    renameSync(`${file}.new`, file);
  };
  set(first);
  return {
    env: {
      ...env,
      LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // Times of files, and how long things take, stay as they are.
      NO_FAKE_STAT: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    onStart(child) {
      const timers = others.map((time, at) => setTimeout(() => set(time), (at + 1) * 150));
      child.once('exit', () => timers.forEach(clearTimeout));
    },
  };
}
