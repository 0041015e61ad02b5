import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ranIn } from '../../support/plain-progress.ts';
import { sharedService } from '../../support/services.ts';
import { FINALLY, possibleImages, type Use } from '../concurrency/names.ts';
import {
  archiveOf,
  imageOf,
  inspect,
  perform,
  PROJECTS,
  randomWork,
  type Scene,
  writeProjects,
} from '../concurrency/works.ts';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { manifestOf } from '../reference.ts';
import { runGood, type RunOptions, runTbuild } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'concurrency',
  title: 'Commands at once on one store leave every name with a complete image, the last one, and run a step once',
  needs: ['root', 'registry'],
  brief: [1],
  run: runAtOnce,
};

/** The most commands that run at the same time. */
const AT_ONCE = 25;

/** The model is a sequential store: what a name has is what the last command gave it, or one of those that overlap with it. */
async function runAtOnce(context: FaultContext): Promise<void> {
  const { random, size } = context;
  const planned = Array.from({ length: Math.round(10 * size) }, () => randomWork(random));
  writeProjects(context);
  const scene = await setScene(context);
  const works = context.plan(planned);
  const changes: Use[] = scene.built.map((image, number) => ({ name: `base:${number}`, image, start: 0, end: 0 }));
  const seen: Use[] = [];
  const left = works.values();
  const workOff = async (): Promise<void> => {
    for (const work of left) {
      await sleep(work.delay);
      changes.push(...(await perform(work, scene, seen)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
  for (const use of seen) requirePossible(use, changes, context);
  const names = new Set(changes.map(({ name }) => name));
  for (const name of names) await requireLast(name, changes, context);
  await runGood(context, ['fsck', '--full']);
  const second = { store: join(context.directory, 'second') };
  if ([...names].some(isPushed)) await runGood(context, ['fsck', '--full'], second);
}

/** Builds everything for the first time, all at once. */
async function setScene(context: FaultContext): Promise<Scene> {
  const registry = await sharedService('registry');
  const projects = [...Array.from({ length: PROJECTS }).keys()];
  const first = async (project: number): Promise<string> => {
    const archive = `type=docker,dest=${archiveOf(context, project)},name=app:${project}`;
    const { stderr } = await runGood(context, imageOf(context, project, `base:${project}`, '-o', archive));
    return manifestOf(stderr);
  };
  const [built] = await Promise.all([Promise.all(projects.map(first)), runOnce(context)]);
  const load = async (project: number): Promise<string> => {
    const prepared: RunOptions = { store: join(context.directory, 'prepared') };
    await runGood(context, ['load', '--input', archiveOf(context, project)], prepared);
    return (await runGood(context, inspect(`app:${project}`), prepared)).stdout.trim();
  };
  const loaded = await Promise.all(projects.map(load));
  return { context, repository: `${registry}/${basename(context.directory).toLowerCase()}`, built, loaded };
}

/** Several builds need the same new step at the same time: one runs it, and the others take its result. */
async function runOnce(context: FaultContext): Promise<void> {
  const builds = await Promise.all(
    Array.from({ length: 4 }, (_, at) => runGood(context, imageOf(context, PROJECTS, `once:${at}`))),
  );
  const ran = builds.filter(({ stderr }) => ranIn(stderr).length > 0);
  const output = builds.map(({ stderr }) => stderr).join('\n');
  if (ran.length !== 1) context.fail(`${ran.length} builds ran the same step, expected 1`, output);
  if (new Set(builds.map(({ stderr }) => manifestOf(stderr))).size !== 1)
    context.fail('Builds of one step have different images', output);
  context.count('waits for another build', output.match(/waiting for process \d+/g)?.length ?? 0);
}

function isPushed(name: string): boolean {
  return name.startsWith('pushed ');
}

/** Looks at what a name has in the end, in the registry by a pull of the whole image into a second store. */
async function requireLast(name: string, changes: readonly Use[], context: FaultContext): Promise<void> {
  const [, pushed] = /^pushed (.*)/.exec(name) ?? [];
  const options: RunOptions = pushed === undefined ? {} : { store: join(context.directory, 'second') };
  if (pushed !== undefined) await runGood(context, ['pull', pushed], options);
  const { exitCode, stdout } = await runTbuild(context, inspect(pushed ?? name), options);
  const image = exitCode === 0 ? stdout.trim() : undefined;
  requirePossible({ name, image, ...FINALLY }, changes, context);
  const isClear = possibleImages(changes, name, FINALLY).size === 1;
  context.count(isClear ? 'names with the last image' : 'names with one of the last images');
}

function requirePossible({ name, image, ...span }: Use, changes: readonly Use[], { fail }: FaultContext): void {
  const possible = possibleImages(changes, name, span);
  if (possible.has(image)) return;
  const history = changes.filter((change) => change.name === name).map((change) => JSON.stringify(change));
  fail(
    `The name ${name} has ${image ?? 'no image'} ${JSON.stringify(span)}, expected ${[...possible].join(' or ')}`,
    history.join('\n'),
  );
}
