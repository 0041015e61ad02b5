import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessResult } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import type { FaultContext } from '../fault-row.ts';
import { madeOnce } from '../made-once.ts';
import { buildArguments, isInternalError, runGood, type RunOptions, runTbuild, writeFiles } from '../run-tbuild.ts';
import { makeChange, randomChange } from './changes.ts';
import { openPlace } from './context-place.ts';
import { digestIn, filesIn } from './image-files.ts';
import { KnownStates } from './known-states.ts';

/** Every way in which a build reads a context. */
const DOCKERFILE = `FROM scratch AS early
COPY src /src
FROM busybox AS build
COPY src /src
RUN --mount=type=bind,source=src,target=/m cd /m && find . -type f | sort | xargs -r sha256sum > /sums
FROM busybox
COPY --from=build /sums /sums
COPY src/single /single
COPY --link src /linked
COPY src /src
COPY --from=early /src /early
`;

/** Changes files while a build reads them: the image has what they have been, or the error names one of them. */
export async function changeFiles(context: FaultContext): Promise<void> {
  const { random, directory, count } = context;
  const files = randomFiles(context);
  const states = new KnownStates(files);
  const paths = states.paths();
  const planned = Array.from({ length: 1 + random.int(random.pick([3, 20, 200])) }, () => randomChange(random, paths));
  const hasBuilt = random.int(2) === 0;
  const disk = random.pick(['plain', 'plain', 'slow', 'crashing'] as const);
  const crash = disk === 'crashing' ? random.int(1000) / 1000 : undefined;
  const project = writeProject(directory, files);
  const duration = await durationOf(context);
  // A build trusts times only of files that are older than a clock's tick, and makes a tree early of what it trusts.
  if (random.int(2) === 0) await sleep(2100);
  const changes = context.plan(planned);
  const image = join(directory, 'image');
  {
    await using place = await openPlace(project, disk === 'plain' ? undefined : rateFor(files));
    const changing = { directory: join(place.path, 'src'), aside: join(place.path, 'aside'), states };
    if (hasBuilt) await runGood(context, buildInto(join(directory, 'before'), place.path));
    const options = meanwhile(disk === 'slow' ? duration * 3 : duration, [
      ...changes.map((change) => [change.moment, () => makeChange(change, changing) && count('changes')] as const),
      ...(crash === undefined ? [] : [[crash, () => place.crash()] as const]),
    ]);
    const named = disk === 'crashing' ? [place.path, 'src/'] : changes.map(({ path }) => `src/${path}`);
    const result = await runTbuild(context, buildInto(image, place.path), options);
    if (result.exitCode === 0) requireReal(image, states, context);
    else requireNamed(result, named, context);
    count(`${result.exitCode === 0 ? 'images' : 'errors'} of a ${disk} context`);
  }
  await requireSameAsNew(context, project);
  await runGood(context, ['fsck', '--full']);
}

/** A file of many is read long before or after the others; a large one is read in pieces. */
function randomFiles({ random }: FaultContext): Readonly<Record<string, string>> {
  const many = Array.from({ length: random.pick([3, 300, 1500]) }, (_, at) => [
    `${at % 5}/${at}`,
    `${at}\n`.repeat(1 + (at % 90)),
  ]);
  const large = random.int(3) === 0 ? { large: 'large\n'.repeat(1_000_000) } : {};
  return { single: 'single\n', ...Object.fromEntries(many), ...large };
}

/** Returns how many bytes a slow file system gives in a second: a file of a few bytes is a page to it. */
function rateFor(files: Readonly<Record<string, string>>): string {
  if ('large' in files) return '8M';
  return Object.keys(files).length > 1000 ? '2M' : '100k';
}

function writeProject(directory: string, files: Readonly<Record<string, string>>): string {
  const project = writeFiles(join(directory, 'project'), { Dockerfile: DOCKERFILE });
  writeFiles(join(project, 'src'), files);
  return project;
}

function buildInto(layout: string, project: string): string[] {
  return buildArguments(project, '-o', `type=oci,dest=${layout},tar=false,rewrite-timestamp=true`);
}

/** Returns how many milliseconds a build takes that nothing disturbs. */
const durationOf = madeOnce(async (context: FaultContext): Promise<number> => {
  const directory = scratchDirectory('duration');
  const project = writeProject(directory, { single: '' });
  const began = Date.now();
  await runGood({ ...context, directory }, buildInto(join(directory, 'image'), project));
  return Date.now() - began;
});

type Deed = readonly [moment: number, happen: () => unknown];

/** Returns the options of a program that runs while things happen at shares of a time in milliseconds. */
function meanwhile(time: number, deeds: readonly Deed[]): RunOptions {
  return {
    onStart(child) {
      const timers = deeds.map(([moment, happen]) => setTimeout(happen, moment * time));
      child.once('exit', () => timers.forEach(clearTimeout));
    },
  };
}

function requireReal(layout: string, states: KnownStates, { fail }: FaultContext): void {
  const image = filesIn(layout);
  for (const place of ['src', 'linked', 'early'])
    for (const path of states.paths()) {
      const state = image.stateOf(`${place}/${path}`);
      if (!states.has(path, state)) fail(`The image has /${place}/${path} as what it never was: ${state}`);
    }
  for (const [path, state] of image.below('single'))
    if (!states.has(path, state)) fail(`The image has /${path} as what it never was: ${state}`);
  for (const line of image.textOf('sums').split('\n').filter(Boolean)) {
    const [hash, path = ''] = line.split('  ./');
    if (!states.has(path, `file ${hash}`)) fail(`The mount had ${path} as what it never was`, line);
  }
}

/** The error is one for users and names one of the paths. */
function requireNamed({ exitCode, stderr }: ProcessResult, paths: readonly string[], { fail }: FaultContext): void {
  if (exitCode !== 1) fail(`The build exited with ${exitCode}, expected 1`, stderr);
  if (isInternalError(stderr)) fail('The build ended with an internal error', stderr);
  const error = stderr.slice(stderr.lastIndexOf('ERROR: '));
  if (!paths.some((path) => error.includes(path))) fail('The error names no file that changed', stderr);
}

/** The next build fails or makes the image that a build in an empty store makes. */
async function requireSameAsNew(context: FaultContext, project: string): Promise<void> {
  const { directory, count, fail } = context;
  const next = await runTbuild(context, buildInto(join(directory, 'next'), project));
  const fresh = await runTbuild(context, buildInto(join(directory, 'new'), project), {
    store: join(directory, 'other'),
  });
  const output = `${next.stderr}\n${fresh.stderr}`;
  if (next.exitCode !== fresh.exitCode) fail('The next build does not end as one in an empty store', output);
  if (next.exitCode !== 0) return count('files that are gone');
  if (digestIn(join(directory, 'next')) !== digestIn(join(directory, 'new')))
    fail('The next image is not that of an empty store', output);
}
