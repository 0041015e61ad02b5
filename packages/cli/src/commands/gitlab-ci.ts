import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { formatPlatform, parsePlatform } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';
import { parseArgs, type Flags, type FlagValues } from '../flags/args.ts';
import { independentStages } from '../gitlab/independent-stages.ts';
import { bakePipelineFor, pipelineFor } from '../gitlab/pipeline.ts';
import { thisPlatform } from '../services/create-services.ts';
import { IMAGE, VERSION } from '../startup/version.ts';
import { type Command, helpOf } from './command.ts';

const flags = {
  file: { kind: 'text', short: 'f', value: 'PATH', help: 'The Dockerfile (default: CONTEXT/Dockerfile)' },
  force: { kind: 'switch', help: 'With --write, replace a file that exists' },
  image: { kind: 'text', value: 'IMAGE', help: `The image of the jobs (default: $TBUILD_IMAGE, or ${IMAGE})` },
  platform: {
    kind: 'list',
    value: 'OS/ARCH',
    help: 'Build on a runner of each architecture, and merge the images; runners are tagged amd64, arm64, …',
  },
  write: { kind: 'switch', help: 'Write .gitlab-ci.yml instead of printing it' },
  help: { kind: 'switch', short: 'h', help: 'Show this text' },
} as const satisfies Flags;

const FILE = '.gitlab-ci.yml';

export const gitlabCi: Command = {
  summary: 'Write a GitLab pipeline for the Dockerfile or bake file at hand',
  usage: 'gitlab-ci [OPTIONS] [CONTEXT]',
  flags,
  async run(argv, env) {
    const { flags: given, positional } = parseArgs(argv, flags);
    if (given.help === true) {
      env.stdout.write(helpOf(gitlabCi));
      return 0;
    }
    const image = given.image ?? (env.variables.TBUILD_IMAGE || IMAGE);
    const [context] = positional;
    const isBake = context === undefined && given.file === undefined && hasBakeFile(env.cwd);
    const text = isBake
      ? bakePipelineFor({ image, version: VERSION, targets: await bakeTargets(env) })
      : pipeline(given, context ?? '.', { image, env });
    if (given.write !== true) {
      env.stdout.write(text);
      return 0;
    }
    const file = join(env.cwd, FILE);
    if (existsSync(file) && given.force !== true)
      throw new TbuildError('USAGE', `There is a file ${JSON.stringify(FILE)} already`, {
        hint: 'Use --force to replace it, or leave out --write to print the pipeline',
      });
    writeFileSync(file, text);
    env.stdout.write(`Wrote ${FILE}\n`);
    return 0;
  },
};

/** A compose file alone describes services, not what to build. */
function hasBakeFile(directory: string): boolean {
  return ['docker-bake.hcl', 'docker-bake.json'].some((name) => existsSync(join(directory, name)));
}

/** Returns the targets that `tbuild bake` would build. */
async function bakeTargets(env: Environment): Promise<readonly string[]> {
  const { loadBake } = await import('../bake/load-bake.ts');
  const wanted = { files: [], variables: [], settings: {} };
  const { targets, links } = (await loadBake(wanted, env, () => {})).resolve([], []);
  return [...targets.keys()].filter((name) => !links.has(name)).toSorted();
}

interface PipelineContext {
  readonly image: string;
  readonly env: Pick<Environment, 'cwd'>;
}

function pipeline(given: FlagValues<typeof flags>, context: string, { image, env: { cwd } }: PipelineContext): string {
  const file = given.file ?? join(context, 'Dockerfile');
  const platforms = (given.platform ?? [])
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '')
    .map((text) => formatPlatform(parsePlatform(text, thisPlatform())));
  return pipelineFor({
    image,
    version: VERSION,
    context: relative(cwd, resolve(cwd, context)) || '.',
    dockerfile: given.file,
    platforms: [...new Set(platforms)],
    stages: independentStages(readDockerfile(resolve(cwd, file), file)),
  });
}

function readDockerfile(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TbuildError('USAGE', `Cannot read the Dockerfile ${JSON.stringify(name)}`, {
      cause,
      hint: 'Name it with -f FILE, or its directory as the last word',
    });
  }
}
