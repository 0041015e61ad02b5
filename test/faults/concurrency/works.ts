import { join } from 'node:path';
import type { Random } from '../../support/random.ts';
import type { FaultContext } from '../fault-row.ts';
import { manifestOf } from '../reference.ts';
import { buildArguments, runTbuild, writeFiles } from '../run-tbuild.ts';
import type { Span, Use } from './names.ts';

/** How many projects there are, and names that all commands share. */
export const PROJECTS = 3;

/** Of 29 commands, how many are of each kind. */
const KINDS = { build: 16, prune: 3, push: 2, load: 2, tag: 2, look: 2, rmi: 1, fsck: 1 };

const COUNTED: Readonly<Record<keyof typeof KINDS, string>> = {
  build: 'builds',
  prune: 'prunes',
  push: 'pushes',
  load: 'loads',
  tag: 'tags',
  look: 'looks at names',
  rmi: 'removals of names',
  fsck: 'checks of the store',
};

export interface Work {
  readonly kind: keyof typeof KINDS;
  readonly project: number;
  /** The number of the name that it uses. */
  readonly name: number;
  /** Milliseconds before it starts. */
  readonly delay: number;
}

/** What all commands of a case use. */
export interface Scene {
  readonly context: FaultContext;
  /** The repository to push to. */
  readonly repository: string;
  /** The images of the projects, and of their archives once they are loaded. */
  readonly built: readonly string[];
  readonly loaded: readonly string[];
}

export function randomWork(random: Random): Work {
  const kinds = Object.entries(KINDS).flatMap(([kind, n]) => Array.from({ length: n }, () => kind as Work['kind']));
  return {
    kind: random.pick(kinds),
    project: random.int(PROJECTS),
    name: random.int(PROJECTS),
    delay: random.int(300),
  };
}

/** Runs the command of a work, and returns which names it changed. A look goes to `seen` instead. */
export async function perform(work: Work, scene: Scene, seen: Use[]): Promise<readonly Use[]> {
  const { context } = scene;
  const start = performance.now();
  const { exitCode, stdout, stderr } = await runTbuild(context, argumentsOf(work, scene));
  const span: Span = { start, end: performance.now() };
  const isMissing = exitCode === 1 && work.kind === 'look' && /is not in the store/.test(stderr);
  if (exitCode !== 0 && !isMissing) context.fail(`tbuild ${work.kind} fails beside other commands`, stdout + stderr);
  context.count(COUNTED[work.kind]);
  const name = nameOf(work);
  if (work.kind !== 'look') return changesOf(work, { scene, stderr }).map((change) => ({ ...change, ...span }));
  seen.push({ name, image: isMissing ? undefined : stdout.trim(), ...span });
  return [];
}

function nameOf({ name }: Work): string {
  return `app:${name}`;
}

function argumentsOf(work: Work, { context, repository }: Scene): readonly string[] {
  const { kind, project } = work;
  const name = nameOf(work);
  const commands: Readonly<Record<Work['kind'], readonly string[]>> = {
    build: imageOf(context, project, name),
    push: imageOf(context, project, `${repository}:${work.name},push=true`),
    prune: ['prune', '--all', '--force'],
    tag: ['tag', `base:${project}`, name],
    load: ['load', '--input', archiveOf(context, project)],
    look: inspect(name),
    rmi: ['rmi', '--force', name],
    fsck: ['fsck'],
  };
  return commands[kind];
}

function changesOf(
  { kind, project, name }: Work,
  { scene, stderr }: { readonly scene: Scene; readonly stderr: string },
): readonly Pick<Use, 'name' | 'image'>[] {
  const { repository, built, loaded } = scene;
  const pushed = `${repository}:${name}`;
  switch (kind) {
    case 'build':
      return [{ name: `app:${name}`, image: manifestOf(stderr) }];
    case 'push':
      return [pushed, `pushed ${pushed}`].map((each) => ({ name: each, image: manifestOf(stderr) }));
    case 'tag':
      return [{ name: `app:${name}`, image: built[project] }];
    case 'load':
      return [{ name: `app:${project}`, image: loaded[project] }];
    case 'rmi':
      return [{ name: `app:${name}`, image: undefined }];
    default:
      return [];
  }
}

export function inspect(name: string): readonly string[] {
  return ['inspect', '--format', '{{.Descriptor.digest}}', name];
}

/** Returns the docker archive of a project, which names its image as the builds do. */
export function archiveOf({ directory }: Pick<FaultContext, 'directory'>, project: number): string {
  return join(directory, `${project}.tar`);
}

export function imageOf(
  { directory }: Pick<FaultContext, 'directory'>,
  project: number,
  name: string,
  ...more: readonly string[]
): string[] {
  const output = `type=image,name=${name},rewrite-timestamp=true`;
  return buildArguments(join(directory, `project-${project}`), '-o', output, ...more);
}

/** Two of the projects have a step in common, and the one with the number {@link PROJECTS} a step that never does the same twice. */
export function writeProjects({ directory }: Pick<FaultContext, 'directory'>): void {
  for (let number = 0; number < PROJECTS; number++)
    writeFiles(join(directory, `project-${number}`), {
      Dockerfile: `FROM busybox AS build\nCOPY a /a\nRUN cat /a > /b\nFROM busybox\nCOPY --from=build /b /${number}\nRUN echo > /c\n`,
      a: `${number % 2}\n`,
    });
  writeFiles(join(directory, `project-${PROJECTS}`), {
    Dockerfile: 'FROM busybox\nRUN sleep 1; head -c 16 /dev/urandom > /random\n',
  });
}
