import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateBake } from '@tbuild/bake';
import { runSync } from '@tbuild/concurrency';
import { openContext, selectFiles } from '@tbuild/context';
import { expandWord, lintDockerfile, parseDockerfile } from '@tbuild/dockerfile';
import { TbuildError } from '@tbuild/errors';
import { listTargets, parseGitSource, planBuild } from '@tbuild/frontend';
import { parseTemplate, renderTemplate } from '@tbuild/go-template';
import { GraphBuilder } from '@tbuild/graph';
import { formatReference, parsePlatform, parseReference } from '@tbuild/oci';
import { writeFiles } from '../run-tbuild.ts';
import type { HostileKind } from './hostile-kind.ts';
import { mutateText } from './mutate.ts';

const FIXTURES = 'fixtures';
const PLATFORM = { os: 'linux', architecture: 'amd64' };

/** Texts that users and strangers write. */
export const TEXTS: readonly HostileKind<string>[] = [
  {
    name: 'Dockerfiles',
    make: (random) => mutateText(dockerfiles(), DOCKERFILE_PIECES, random),
    async read(text) {
      const dockerfile = parseDockerfile(text, 'Dockerfile');
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
        resolveImage: ({ reference }) => Promise.reject(new TbuildError('NOT_FOUND', `No image ${reference}`)),
      });
    },
  },
  {
    name: 'ignore files',
    make: (random) => mutateText(IGNORE_FILES, IGNORE_PIECES, random),
    async read(text, { directory }) {
      const context = writeFiles(join(directory, 'context'), {
        '.dockerignore': text,
        'a/b/c.txt': '',
        'node_modules/x': '',
      });
      runSync(selectFiles(openContext(context).tree, { sources: ['.', text.split('\n', 1)[0] ?? ''] }));
    },
  },
  {
    name: 'bake files',
    make: (random) => random.pick(BAKE_NAMES) + '\0' + mutateText(bakeFiles(), BAKE_PIECES, random),
    async read(input) {
      const [name = '', text = ''] = input.split('\0', 2);
      const files = await evaluateBake({
        files: [{ name, text }],
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
    async read(text) {
      renderTemplate(parseTemplate(text), { ID: 'x', Size: 1, List: [1, 'b', null], Map: { a: { b: [] } } });
    },
  },
  {
    name: 'names',
    make: (random) => mutateText(NAMES, NAME_PIECES, random),
    async read(text) {
      parseGitSource(text);
      // Each throws for most texts.
      const refusals = [() => formatReference(parseReference(text)), () => parsePlatform(text, PLATFORM)].flatMap(
        (read) => {
          try {
            read();
            return [];
          } catch (error) {
            return [error];
          }
        },
      );
      const other = refusals.find((error) => !(error instanceof TbuildError));
      if (other !== undefined) throw other;
    },
  },
];

function dockerfiles(): readonly string[] {
  return (known.dockerfiles ??= textsIn('dockerfiles', ['Dockerfile']));
}

const BAKE_NAMES = ['docker-bake.hcl', 'docker-bake.json', 'compose.yaml'];

function bakeFiles(): readonly string[] {
  return (known.bake ??= textsIn('bake', BAKE_NAMES));
}

const known: { dockerfiles?: readonly string[]; bake?: readonly string[] } = {};

/** Returns the files with these names in the folders of a folder of fixtures. */
function textsIn(folder: string, names: readonly string[]): readonly string[] {
  const paths = readdirSync(join(FIXTURES, folder)).flatMap((one) =>
    names.map((name) => join(FIXTURES, folder, one, name)),
  );
  return paths
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .filter((text) => text.length < 10_000);
}

const DOCKERFILE_PIECES = [
  '\n',
  '\\\n',
  '`',
  '"',
  "'",
  '$',
  '${',
  '}',
  '${a:-',
  '${a//',
  '<<A',
  '<<-',
  '\nA\n',
  '[',
  ']',
  '["a"]',
  '--mount=',
  '--x=',
  '=',
  '\t',
  '\r\n',
  '#',
  '# check=',
  '# escape=`\n',
  '# syntax=',
  'FROM ',
  'FROM scratch AS a\n',
  'COPY --from=a ',
  'ADD https://',
  'ADD git@',
  'RUN ',
  'ONBUILD ',
  'ENV ',
  'ARG ',
  'ARG SOURCE_DATE_EPOCH=-1\n',
  '\u00a0',
  '\ufeff',
  '\ud83d',
  '\0',
];
const IGNORE_FILES = ['**/node_modules\n!a/**/c.txt\n', '*\n!a\n', 'a/**/b/**/c\n[a-z]*/?\n#x\n', '\\!a\n\\#b\n[^a]\n'];
const IGNORE_PIECES = [
  '*',
  '**',
  '**/',
  '/',
  '!',
  '[',
  ']',
  '[^',
  'a-',
  '\\',
  '?',
  '..',
  './',
  '\n',
  '#',
  ' ',
  '\ufeff',
  '*a',
  '(',
  '{',
  '+',
  '|',
  '$',
  '\0',
];
const BAKE_PIECES = [
  '"',
  '${',
  '%{',
  '}',
  '{',
  '[',
  ']',
  '(',
  ')',
  '\n',
  '=',
  ',',
  '<<EOT\n',
  '...',
  '*',
  '\\',
  '1e9',
  'for ',
  'in ',
  ': ',
  '- ',
  '&a ',
  '*a',
  '<<: ',
  '!!',
  '? ',
  'target "a" {',
  'inherits = ["a"]\n',
  'matrix = {',
  'function "f" {',
  'variable "a" {',
  'null',
  '\0',
];
const TEMPLATES = [
  '{{.ID}}',
  'table {{.ID}}\t{{.Size}}',
  '{{range $i, $x := .List}}{{$i}}{{$x}}{{else}}-{{end}}',
  '{{if and .ID (eq .Size 1)}}{{json .Map}}{{end}}',
  '{{with .Map}}{{index . "a" "b"}}{{end}}{{printf "%-10s|%q|%d" .ID .ID .Size}}',
  '{{split .ID "x" | join ","}}{{/* c */}}{{- 1 -}}',
];
const TEMPLATE_PIECES = [
  '{{',
  '}}',
  '.',
  '|',
  '(',
  ')',
  '"',
  '`',
  '$',
  ':=',
  ' ',
  'range ',
  'if ',
  'else',
  'end',
  'with ',
  'define "a"',
  'template "a"',
  'printf "%9999999d" 1',
  '%',
  'index ',
  'slice ',
  'len ',
  'json ',
  '-1',
  '1e9',
  '0x',
  '\\',
  "'",
];
const NAMES = [
  'docker.io/library/busybox:latest',
  `a@sha256:${'0'.repeat(64)}`,
  'localhost:5000/a/b',
  'linux/arm/v7',
  'https://github.com/a/b.git#main:dir',
  'git@github.com:a/b.git',
  '[::1]:5000/a',
];
const NAME_PIECES = [
  '/',
  ':',
  '@',
  '.',
  '-',
  '_',
  '__',
  '..',
  '#',
  '?',
  '%',
  '[',
  ']',
  'A',
  'a',
  '0',
  'é',
  '\0',
  ' ',
  'sha256:',
  'git://',
  'linux/',
];
