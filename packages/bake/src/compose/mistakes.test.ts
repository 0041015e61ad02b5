import { hasCode, type TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { evaluateText } from '../../test/bake.ts';

const FILES: Readonly<Record<string, string>> = {
  'other/base.yml': 'services:\n  base:\n    build:\n      shm_size: huge\n',
  'other/more.yml': 'services:\n  more:\n    build: { contxt: . }\n',
};

async function errorOf(text: string): Promise<TbuildError> {
  const readFile = (name: string) => (FILES[name] === undefined ? undefined : { name, text: FILES[name] });
  const error: unknown = await evaluateText(text, 'compose.yaml', { readFile }).catch((thrown: unknown) => thrown);
  if (hasCode(error, 'BAKE_FILE')) return error;
  throw new Error('Expected an error', { cause: error });
}

const service = (build: string): string => `services:\n  a:\n    build:\n      ${build}\n`;

test.each([
  ['services:\n  a: {build: .\n', 'Invalid YAML', '3:1'],
  ['[a]\n', 'is not a mapping', '1:1'],
  ['services:\n  ? [a]\n  : {}\n', 'A key must be a name', '2:5'],
  [`services:\n  ${'? '.repeat(900)}a: b\n`, 'A key must be a name', '2:5'],
  ['services: [a]\n', 'services has to be a mapping', '1:11'],
  ['services:\n  a: text\n', 'service a has to be a mapping', '2:6'],
  ['services:\n  a: {}\n', 'neither an image nor a build section', '2:3'],
  ['services:\n  a/b: { build: . }\n', 'a name that no target can have', '2:3'],
  ['services:\n  a:\n    build: { context: "${B:?give B}" }\n', '"B" is missing a value: give B', '3:23'],
  ['services:\n  a:\n    extends: b\n', 'extends "b", which does not exist', '3:14'],
  ['services:\n  a:\n    extends: { file: none.yml }\n', 'The compose file "none.yml" does not exist', '3:14'],
  ['services:\n  a: { extends: b, build: . }\n  b: { extends: a }\n', 'extends itself', '3:17'],
  ['include:\n  - x.yml\n', 'The compose file "x.yml" does not exist', '2:5'],
  [service('contxt: .'), 'has no attribute "contxt"', '4:7'],
  [service('args: text'), 'has to be a mapping', '4:13'],
  [service('secrets:\n        - one\n'), 'The secret "one" is not among', '5:11'],
  [service('secrets: [s]\nsecrets:\n  s: {}'), 'neither a file nor an environment', '4:17'],
  [service('secrets: [s]\nsecrets:\n  s: { external: true }'), 'unsupported external secret s', '4:17'],
  [service('shm_size: huge'), 'Invalid size "huge"', '4:17'],
  [service('cache_to:\n        - ref=a'), '"type" is required for cache-to', '5:11'],
  [service('ulimits:\n        nofile: { soft: 5, hard: 4 }'), 'Invalid limit "5:4" of nofile', '5:17'],
  [service('target: [a]'), 'expected a text', '4:15'],
  [service('platforms: linux/amd64'), 'expected a list', '4:18'],
  [service('pull: perhaps'), 'expected true or false', '4:13'],
  [service('extra_hosts: [a]'), 'expected NAME=ADDRESS', '4:20'],
  [service('dockerfile: D\n      dockerfile_inline: FROM scratch'), 'a dockerfile or a dockerfile_inline', '5:7'],
  [service('x-bake:\n        output: [dest=out]'), '"type" is required for output', '5:18'],
  [service('args: [A]\n    env_file: [none.env]'), 'The env_file "none.env" does not exist', '5:16'],
  ['x-b: &b\n  shm_size: huge\nservices:\n  a:\n    build: { <<: *b }\n', 'Invalid size "huge"', '2:13'],
])('the mistake in %j is %j at %s', async (text, message, place) => {
  const { location, message: found } = await errorOf(text);
  expect(found).toContain(message);
  expect(`${location?.start.line}:${location?.start.column}`).toBe(place);
  expect(location?.file).toBe('compose.yaml');
});

test.each([
  ['services:\n  a:\n    extends: { file: other/base.yml, service: base }\n', 'other/base.yml', 4],
  ['include: [other/more.yml]\n', 'other/more.yml', 3],
])('a mistake of another file that %j names is shown there', async (text, file, line) => {
  const { location } = await errorOf(text);
  expect(location).toMatchObject({ file, start: { line } });
});

test('a service that is a context and does not exist is shown', async () => {
  const files = await evaluateText(service('additional_contexts:\n        x: service:none'), 'compose.yaml');
  expect(() => files.resolve([], [])).toThrow(
    expect.objectContaining({
      message: 'failed to find target none',
      location: expect.objectContaining({ file: 'compose.yaml', start: { line: 5, column: 9 } }),
    }),
  );
});

test('an unknown attribute of a build section has a suggestion', async () => {
  expect((await errorOf(service('contxt: .'))).hint).toBe('Did you mean "context"?');
});

test('a mistake in .env points to its line', async () => {
  const readFile = (name: string) => (name === '.env' ? { name, text: '# no\nA=1\n!B=2\n' } : undefined);
  const evaluated = evaluateText(service('context: .'), 'compose.yaml', { readFile });
  await expect(evaluated).rejects.toMatchObject({ location: { file: '.env', start: { line: 3 } } });
});

test('what has no effect in a bake is a warning with its place', async () => {
  const { warnings } = await evaluateText(service('privileged: true\n      x-bake: { tgas: [a] }'), 'compose.yaml');
  expect(warnings).toMatchObject([
    { message: expect.stringContaining('"privileged"'), location: { start: { line: 4, column: 7 } } },
    { message: expect.stringContaining('"tgas"'), hint: 'Did you mean "tags"?', location: { start: { line: 5 } } },
  ]);
});
