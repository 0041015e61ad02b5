import { join } from 'node:path';
import type { FaultContext, FaultRow } from '../fault-row.ts';
import { manifestOf } from '../reference.ts';
import { buildArguments, runGood, runTbuild, writeFiles } from '../run-tbuild.ts';

export const row: FaultRow = {
  name: 'concurrency',
  title: 'Builds, prunes, loads and tags at once on one store leave every name with a complete, right image',
  needs: ['root'],
  brief: 1,
  run: runAtOnce,
};

const PROJECTS = 3;

interface Work {
  readonly kind: 'build' | 'prune' | 'tag' | 'load' | 'fsck';
  readonly project: number;
  /** The image name that it writes, which no other work writes. */
  readonly name: string;
  readonly delay: number;
}

/** The model: a name has the image of the project that was built under it, or that its tag or archive names. */
async function runAtOnce(context: FaultContext): Promise<void> {
  const { random, directory } = context;
  const projects = Array.from({ length: PROJECTS }, (_, number) => writeProject(directory, number));
  const digests: string[] = [];
  for (const [number, project] of projects.entries()) {
    const archive = `type=docker,dest=${join(directory, `${number}.tar`)},name=base:${number}`;
    const { stderr } = await runGood(context, imageOf(project, `base:${number}`, '-o', archive));
    digests.push(manifestOf(stderr));
  }
  const works = context.plan(
    Array.from({ length: 10 }, (_, at): Work => ({
      kind: random.pick(['build', 'build', 'build', 'prune', 'tag', 'load', 'fsck'] as const),
      project: random.int(PROJECTS),
      name: `app:${at}`,
      delay: random.int(300),
    })),
  );
  const written = await Promise.all(works.map((work) => perform(work, context, projects)));
  for (const { name, project } of written.flatMap((one) => one ?? [])) {
    const { stdout } = await runGood(context, ['inspect', '--format', '{{.Descriptor.digest}}', name]);
    if (stdout.trim() !== digests[project])
      context.fail(
        `The name ${name} has the image ${stdout.trim()}, expected that of project ${project}, ${digests[project]}`,
      );
  }
  await runGood(context, ['fsck', '--full']);
}

async function perform({ kind, project, name, delay }: Work, context: FaultContext, projects: readonly string[]) {
  const commands: Readonly<Record<Work['kind'], readonly string[]>> = {
    build: imageOf(projects[project] ?? '', name),
    prune: ['prune', '--all', '--force'],
    tag: ['tag', `base:${project}`, name],
    load: ['load', '--input', join(context.directory, `${project}.tar`)],
    fsck: ['fsck'],
  };
  await new Promise((resolve) => setTimeout(resolve, delay));
  const { exitCode, stdout, stderr } = await runTbuild(context, commands[kind]);
  if (exitCode !== 0) context.fail(`tbuild ${kind} fails beside other commands`, stdout + stderr);
  context.count(`${kind}s`);
  return kind === 'build' || kind === 'tag' ? { name, project } : undefined;
}

function imageOf(project: string, name: string, ...more: readonly string[]): string[] {
  return buildArguments(project, '-o', `type=image,name=${name},rewrite-timestamp=true`, ...more);
}

function writeProject(directory: string, number: number): string {
  return writeFiles(join(directory, `project-${number}`), {
    Dockerfile: `FROM busybox AS build\nCOPY a /a\nRUN cat /a > /b\nFROM busybox\nCOPY --from=build /b /${number}\nRUN echo > /c\n`,
    a: `${number % 2}\n`,
  });
}
