import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BakeFile, evaluateBake } from '@tbuild/bake';
import { runSync } from '@tbuild/concurrency';
import { openContext, selectFiles } from '@tbuild/context';
import { type Dockerfile, expandWord, lintDockerfile, parseDockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { listTargets, parseGitSource, planBuild, type PlanOptions } from '@tbuild/frontend';
import { parseTemplate, renderTemplate } from '@tbuild/go-template';
import { GraphBuilder } from '@tbuild/graph';
import { digestOf, formatReference, parsePlatform, parseReference } from '@tbuild/oci';
import { writeFiles } from '../run-tbuild.ts';
import { expressionFile } from './expressions.ts';
import type { HostileKind, HostilePlace } from './hostile-kind.ts';
import { mutateText } from './mutate.ts';
import {
  BAKE_PIECES,
  DOCKERFILE_PIECES,
  IGNORE_FILES,
  IGNORE_PIECES,
  NAMES,
  NAME_PIECES,
  TEMPLATES,
  TEMPLATE_PIECES,
} from './pieces.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };

/** Texts that users and strangers write. */
export const TEXTS: readonly (HostileKind<string> | HostileKind<BakeFile>)[] = [
  {
    name: 'Dockerfiles',
    inputs: 5000,
    make: (random) => mutateText(random.int(4) === 0 ? textsNamed('Dockerfile') : sound(), DOCKERFILE_PIECES, random),
    async read(text: string) {
      const dockerfile = parse(text);
      lintDockerfile(dockerfile);
      listTargets(dockerfile);
      for (const { instructions } of dockerfile.stages) {
        for (const { line } of instructions) expandWord(line, (name) => (name.length > 1 ? undefined : 'a*b?'));
      }
      await planBuild(dockerfile, {
        platform: PLATFORM,
        buildPlatform: PLATFORM,
        buildArgs: { A: '${B}' },
        labels: {},
        noCache: false,
        contexts: {},
        graph: new GraphBuilder(),
        signal: new AbortController().signal,
        resolveImage: imageNamed,
      });
    },
  },
  {
    name: 'ignore files',
    make: (random) => mutateText(IGNORE_FILES, IGNORE_PIECES, random),
    prepare: (directory) => void writeFiles(directory, { '.dockerignore': '', 'a/b/c.txt': '', 'node_modules/x': '' }),
    async read(text: string, { directory }: HostilePlace) {
      writeFileSync(join(directory, '.dockerignore'), text);
      const [first = '', second = ''] = text.split('\n', 2);
      const { tree } = openContext(directory);
      runSync(selectFiles(tree, { sources: ['.', first], exclude: [second], parents: second.length % 2 === 0 }));
    },
  },
  {
    name: 'bake files',
    inputs: 1500,
    make(random) {
      if (random.int(2) === 0) return { name: 'docker-bake.hcl', text: expressionFile(random) };
      const name = random.pick(BAKE_NAMES);
      return { name, text: mutateText(textsNamed(name), BAKE_PIECES, random) };
    },
    async read(file: BakeFile) {
      const files = await evaluateBake({
        files: [file],
        environment: { A: 'a' },
        variables: {},
        platform: 'linux/amd64',
        now: () => 0,
      });
      files.resolve([], []);
    },
  },
  {
    name: 'templates',
    make: (random) => mutateText(TEMPLATES, TEMPLATE_PIECES, random),
    async read(text: string) {
      renderTemplate(parseTemplate(text), {
        ID: 'x',
        Size: 1,
        List: [1, 'b', null],
        Map: { a: { b: [] } },
        Name: 'aé',
      });
    },
  },
  {
    name: 'names',
    make: (random) => mutateText(NAMES, NAME_PIECES, random),
    async read(text: string) {
      parseGitSource(text);
      // Each refuses most texts.
      for (const read of [() => formatReference(parseReference(text)), () => parsePlatform(text, PLATFORM)]) {
        try {
          read();
        } catch (error) {
          if (!(error instanceof TbuildError)) throw error;
        }
      }
    },
  },
];

/** Returns the Dockerfiles that are valid: many fixtures are not, and those are refused early. */
function sound(): readonly string[] {
  return (soundTexts ??= textsNamed('Dockerfile').filter(isSound));
}
let soundTexts: readonly string[] | undefined;

function isSound(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** An error of syntax has to name its place. */
function parse(text: string): Dockerfile {
  try {
    return parseDockerfile(text, 'Dockerfile');
  } catch (error) {
    if (error instanceof TbuildError && error.code === 'DOCKERFILE_SYNTAX' && error.location === undefined)
      throw new Error('An error names no place', { cause: error });
    throw error;
  }
}

/** Has an image for every name, with the triggers of others. */
const imageNamed: PlanOptions['resolveImage'] = async ({ reference, platform }) => ({
  reference: `${reference}@${ZEROS}`,
  source: { kind: 'registry' },
  manifest: ZEROS,
  config: {
    platform,
    config: { Env: ['PATH=/bin', 'A=${B}'], WorkingDir: '/w', OnBuild: reference.includes('on') ? TRIGGERS : [] },
    diffIds: [ZEROS],
    history: [{ created_by: 'a' }],
  },
});
const ZEROS = digestOf('');
const TRIGGERS = ['ARG A', 'COPY ${A} <<E /a\nx\nE', 'RUN --mount=type=cache,target=/c x'];

const BAKE_NAMES = ['docker-bake.hcl', 'docker-bake.json', 'compose.yaml'] as const;

/** Returns the fixtures with this name, but not the longest. */
function textsNamed(name: keyof typeof FIXTURES): readonly string[] {
  return (known[name] ??= readdirSync(FIXTURES[name])
    .map((folder) => join(FIXTURES[name], folder, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .filter((text) => text.length < 10_000));
}

/** The folders of fixtures. */
const FIXTURES = {
  Dockerfile: 'fixtures/dockerfiles',
  'docker-bake.hcl': 'fixtures/bake',
  'docker-bake.json': 'fixtures/bake',
  'compose.yaml': 'fixtures/bake',
};
const known: { [name in keyof typeof FIXTURES]?: readonly string[] } = {};
