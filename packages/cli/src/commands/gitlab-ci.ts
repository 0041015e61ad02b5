import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { formatPlatform, parsePlatform } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';
import { parseArgs, type Flags, type FlagValues } from '../flags/args.ts';
import { choiceOf } from '../flags/choice.ts';
import { stagesPipelineFor, targetsPipelineFor, type TargetJob } from '../gitlab/child-pipeline.ts';
import { independentStages } from '../gitlab/independent-stages.ts';
import type { PipelineFrame } from '../gitlab/pipeline-parts.ts';
import { bakePipelineFor, pipelineFor } from '../gitlab/pipeline.ts';
import { thisPlatform } from '../services/create-services.ts';
import { IMAGE, VERSION } from '../startup/version.ts';
import { type Command, helpOf } from './command.ts';

const flags = {
  cache: {
    kind: 'text',
    value: 'registry|directory',
    help: 'Keep steps and cache mounts in the registry (default), or in a directory that GitLab caches',
  },
  child: {
    kind: 'switch',
    help: 'Print the pipeline of the parts that can be built at the same time, as a job of the pipeline does',
  },
  file: { kind: 'text', short: 'f', value: 'PATH', help: 'The Dockerfile (default: CONTEXT/Dockerfile)' },
  force: { kind: 'switch', help: 'With --write, replace a file that exists' },
  image: { kind: 'text', value: 'IMAGE', help: `The image of the jobs (default: $TBUILD_IMAGE, or ${IMAGE})` },
  platform: {
    kind: 'list',
    value: 'OS/ARCH',
    help: 'Build on a runner of each architecture, and merge the images; runners are tagged amd64, arm64, …',
  },
  tag: { kind: 'text', value: 'TAG', help: 'With --child and a bake file, the tag of the images (default: latest)' },
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
    const asked: Asked = { given, context: positional[0], env };
    requireMeaning(given);
    const text = hasBakeFile(asked) ? await bakePipeline(asked) : imagePipeline(asked);
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

interface Asked {
  readonly given: FlagValues<typeof flags>;
  readonly context?: string;
  readonly env: Environment;
}

/** @throws TbuildError USAGE for options that go with others only. */
function requireMeaning({ child, write, tag }: Asked['given']): void {
  if (child === true && write === true)
    throw new TbuildError('USAGE', '--child prints a pipeline for a job of another one, and --write writes that one', {
      hint: 'Leave one of them out',
    });
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag))
    throw new TbuildError('USAGE', `Invalid --tag ${JSON.stringify(tag)}: expected the tag of an image`);
}

/** Whether the pipeline is for a bake file. A compose file alone describes services, not what to build. */
function hasBakeFile({ given, context, env: { cwd } }: Asked): boolean {
  const isThere = ['docker-bake.hcl', 'docker-bake.json'].some((name) => existsSync(join(cwd, name)));
  return isThere && context === undefined && given.file === undefined;
}

function frameOf({ given, env }: Asked): PipelineFrame {
  const cache = choiceOf(given.cache ?? 'registry', ['registry', 'directory'], '--cache');
  return { image: given.image ?? (env.variables.TBUILD_IMAGE || IMAGE), version: VERSION, cache };
}

async function bakePipeline(asked: Asked): Promise<string> {
  const { child, tag = 'latest' } = asked.given;
  const targets = await bakeTargets(asked.env);
  if (child === true) return targetsPipelineFor({ targets, tag }, frameOf(asked));
  const pushed = targets.flatMap(({ name, isLink }) => (isLink ? [] : name));
  return bakePipelineFor(pushed, frameOf(asked));
}

/** Returns the targets that `tbuild bake` would build, those that they build on first. */
async function bakeTargets(env: Environment): Promise<readonly TargetJob[]> {
  const { loadBake } = await import('../bake/load-bake.ts');
  const wanted = { files: [], variables: [], settings: {} };
  const { targets, links } = (await loadBake(wanted, env, () => {})).resolve([], []);
  const needsOf = (name: string): readonly string[] =>
    Object.values(targets.get(name)?.contexts ?? {})
      .flatMap((context) => /^target:(.*)$/.exec(context ?? '')?.[1] ?? [])
      .flatMap((needed) => [needed, ...needsOf(needed)]);
  const jobs = [...targets.keys()].map((name) => ({
    name,
    needs: [...new Set(needsOf(name))].toSorted(),
    isLink: links.has(name),
  }));
  return jobs.toSorted((a, b) => Number(b.isLink) - Number(a.isLink) || (a.name < b.name ? -1 : 1));
}

function imagePipeline(asked: Asked): string {
  const { given, context = '.', env } = asked;
  const { cwd } = env;
  const file = given.file ?? join(context, 'Dockerfile');
  const platforms = (given.platform ?? [])
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '')
    .map((text) => formatPlatform(parsePlatform(text, thisPlatform())));
  const options = {
    ...frameOf(asked),
    context: relative(cwd, resolve(cwd, context)) || '.',
    dockerfile: given.file,
    platforms: [...new Set(platforms)],
    stages: independentStages(readDockerfile(resolve(cwd, file), file)),
  };
  return given.child === true ? stagesPipelineFor(options) : pipelineFor(options);
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
