import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openContext } from '@tbuild/context';
import { parseDockerfile } from '@tbuild/dockerfile';
import { afterAll, expect, test } from 'vitest';
import { advise } from './advise.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tbuild-advise-'));
afterAll(() => rmSync(scratch, { recursive: true }));

type Files = Readonly<Record<string, string>>;

function adviceFor(lines: readonly string[], files: Files): readonly string[] {
  const directory = mkdtempSync(join(scratch, 'context-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return advise(parseDockerfile(`${lines.join('\n')}\n`), openContext(directory)).map(
    ({ line, rule }) => `${line} ${rule}`,
  );
}

const node: Files = { 'package.json': '{}', 'package-lock.json': '{}', 'a.js': '' };
const python: Files = { 'requirements.txt': 'flask\n', 'app.py': '' };

const bad: readonly (readonly [title: string, lines: readonly string[], files: Files, advice: readonly string[]])[] = [
  ['npm ci after all files', ['FROM a', 'COPY . .', 'RUN npm ci && npm run build'], node, ['2 manifests-first']],
  [
    'npm ci in a directory',
    ['FROM a', 'COPY web /web', 'RUN npm ci'],
    { 'web/package.json': '{}', 'web/a.js': '' },
    ['2 manifests-first'],
  ],
  [
    'npm ci in the working directory',
    ['FROM a', 'COPY . /app/', 'WORKDIR /app', 'RUN corepack enable && npm ci'],
    node,
    ['2 manifests-first'],
  ],
  [
    'yarn',
    ['FROM a', 'COPY ./ /app/', 'RUN yarn --frozen-lockfile'],
    { ...node, 'yarn.lock': '' },
    ['2 manifests-first'],
  ],
  ['pip', ['FROM a', 'COPY . .', 'RUN pip install --no-cache-dir -r requirements.txt'], python, ['2 manifests-first']],
  [
    'pip of a module',
    ['FROM a', 'COPY . .', 'RUN python3 -m pip install -r requirements.txt'],
    python,
    ['2 manifests-first'],
  ],
  ['bundle', ['FROM a', 'COPY . .', 'RUN bundle install'], { Gemfile: "gem 'x'\n", 'a.rb': '' }, ['2 manifests-first']],
  [
    'go',
    ['FROM a', 'COPY . .', 'RUN go mod download'],
    { 'go.mod': 'module x\n', 'main.go': '' },
    ['2 manifests-first'],
  ],
  [
    'a commit above an installation',
    ['FROM a', 'ARG GIT_COMMIT', 'RUN apk add make', 'LABEL c=$GIT_COMMIT'],
    {},
    ['2 argument-late'],
  ],
  [
    'a version above npm ci',
    ['FROM a', 'ARG VERSION=dev', 'COPY package.json ./', 'RUN npm ci', 'ENV V=$VERSION'],
    node,
    ['2 argument-late'],
  ],
  ['lists of packages', ['FROM a', 'RUN apt-get update && apt-get install -y curl'], {}, ['2 package-lists']],
  [
    'lists in a stage that the last one continues',
    ['FROM a AS b', 'RUN apt update; apt -y install curl', 'FROM b'],
    {},
    ['2 package-lists'],
  ],
  [
    'an update of its own',
    ['FROM a', 'RUN apt-get update', 'RUN apt-get install -y curl'],
    {},
    ['2 update-with-install'],
  ],
  [
    'packages after all files',
    ['FROM a', 'COPY . /app', 'WORKDIR /app', 'RUN apk add --no-cache curl=8.1-r0'],
    { x: '' },
    ['4 packages-first'],
  ],
  ['a repository that is copied', ['FROM a', 'COPY . .'], { '.git/HEAD': 'x', x: '' }, ['2 ignored']],
  [
    'modules that are copied',
    ['FROM a', 'COPY package.json ./', 'RUN npm install', 'COPY . .'],
    { ...node, 'node_modules/x/i.js': '' },
    ['4 ignored'],
  ],
];

test.each(bad)('advise finds %s', (_, lines, files, advice) => {
  expect(adviceFor(lines, files)).toEqual(advice);
});

const good: readonly (readonly [title: string, lines: readonly string[], files: Files])[] = [
  [
    'manifests that are copied first',
    ['FROM a', 'COPY package*.json ./', 'RUN npm ci', 'COPY . .', 'RUN npm run build'],
    node,
  ],
  [
    'scripts that run at the installation',
    ['FROM a', 'COPY . .', 'RUN npm ci'],
    { ...node, 'package.json': '{"scripts":{"postinstall":"node a.js"}}' },
  ],
  ['workspaces', ['FROM a', 'COPY . .', 'RUN npm ci'], { ...node, 'package.json': '{"workspaces":["x"]}' }],
  [
    'a dependency in a directory',
    ['FROM a', 'COPY . .', 'RUN npm ci'],
    { ...node, 'package.json': '{"dependencies":{"x":"file:./x"}}' },
  ],
  ['npm in another directory', ['FROM a', 'COPY . /a', 'WORKDIR /a/web', 'RUN npm ci'], node],
  ['npm after a change of the directory', ['FROM a', 'COPY . .', 'RUN cd web && npm ci'], node],
  ['npm with a directory of its own', ['FROM a', 'COPY . .', 'RUN npm ci --prefix=web'], node],
  ['npm after a command that may write manifests', ['FROM a', 'COPY . .', 'RUN ./configure', 'RUN npm ci'], node],
  ['npm that installs one package', ['FROM a', 'COPY . .', 'RUN npm install --global pnpm'], node],
  [
    'a context with nothing but manifests',
    ['FROM a', 'COPY . .', 'RUN npm ci'],
    { 'package.json': '{}', 'package-lock.json': '{}' },
  ],
  ['pip that installs the project', ['FROM a', 'COPY . .', 'RUN pip install .'], python],
  [
    'requirements that name directories',
    ['FROM a', 'COPY . .', 'RUN pip install -r requirements.txt'],
    { 'requirements.txt': '-e .\n', 'a.py': '' },
  ],
  [
    'a module that is replaced by a directory',
    ['FROM a', 'COPY . .', 'RUN go mod download'],
    { 'go.mod': 'replace x => ../x\n', 'main.go': '' },
  ],
  ['an argument that a command may read', ['FROM a', 'ARG COMMIT', 'RUN make', 'LABEL c=$COMMIT'], {}],
  ['an argument that the installation names', ['FROM a', 'ARG VERSION', 'RUN apk add curl=$VERSION'], {}],
  ['an argument that seldom changes', ['FROM a', 'ARG DEBIAN_FRONTEND=noninteractive', 'RUN apt-get install -y x'], {}],
  [
    'lists that are removed',
    ['FROM a', 'RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*'],
    {},
  ],
  [
    'lists that are removed with more',
    ['FROM a', 'RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/{apt,dpkg}'],
    {},
  ],
  [
    'lists in a cache mount',
    ['FROM a', 'RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install -y curl'],
    {},
  ],
  [
    'lists in a stage that is not shipped',
    ['FROM a AS b', 'RUN apt-get update && apt-get install -y gcc', 'FROM c', 'COPY --from=b /x /x'],
    {},
  ],
  ['packages of the context', ['FROM a', 'COPY . /app', 'RUN apt-get install -y ./x.deb'], { 'x.deb': '' }],
  ['files that configure the installation', ['FROM a', 'COPY . /', 'RUN apk add curl'], { 'etc/apk/repositories': '' }],
  [
    'a file that configures the installation, below all files',
    ['FROM a', 'COPY . /app', 'COPY apt.conf /etc/apt/', 'RUN apt-get install -y curl'],
    { 'apt.conf': '' },
  ],
  ['a user between files and packages', ['FROM a', 'COPY . /app', 'USER root', 'RUN apk add curl'], { x: '' }],
  ['a repository that a command may read', ['FROM a', 'COPY . .', 'RUN make'], { '.git/HEAD': 'x', Makefile: '' }],
  ['a repository that is ignored', ['FROM a', 'COPY . .'], { '.git/HEAD': 'x', '.dockerignore': '.git\n' }],
];

test.each(good)('advise says nothing about %s', (_, lines, files) => {
  expect(adviceFor(lines, files)).toEqual([]);
});

const fixtures = join(import.meta.dirname, '../../../../fixtures');

test('advise says nothing about the Dockerfiles of the fixtures that build something', () => {
  const files = ['contexts', 'bake-layouts'].flatMap((folder) =>
    readdirSync(join(fixtures, folder), { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((name) => name.endsWith('/Dockerfile')),
  );
  expect(files.length).toBeGreaterThan(10);
  const found = files.flatMap((file) => {
    const path = join(fixtures, file);
    return advise(parseDockerfile(readFileSync(path, 'utf8')), openContext(dirname(path)));
  });
  expect(found).toEqual([]);
});
