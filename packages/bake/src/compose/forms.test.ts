import { expect, test } from 'vitest';
import { evaluateText, targetOf } from '../../test/bake.ts';
import type { BakeInput, TargetAttributes } from '../index.ts';

const withFiles = (files: Readonly<Record<string, string>>): Pick<BakeInput, 'readFile'> => ({
  readFile: (name) => (files[name] === undefined ? undefined : { name, text: files[name] }),
});

const serviceOf = (service: string, input: Partial<BakeInput> = {}): Promise<TargetAttributes> =>
  targetOf(
    `services:\n  s:\n${service.replace(/^/gm, '    ')}\nsecrets: { k: { file: ./k } }\n`,
    'compose.yaml',
    input,
  );

test.each<[string, string, TargetAttributes]>([
  [
    'x-bake adds to the lists of a build section',
    'build: { tags: [a:1], platforms: [linux/amd64], x-bake: { tags: [a:1, a:2], platforms: linux/arm64 } }',
    { tags: ['a:1', 'a:2'], platforms: ['linux/amd64', 'linux/arm64'] },
  ],
  ['the tags of x-bake replace the image', 'image: i\nbuild: { x-bake: { tags: a b } }', { tags: ['a', 'b'] }],
  [
    'a secret of x-bake replaces that of its id',
    'build: { secrets: [k], x-bake: { secret: ["id=k,env=K"] } }',
    { secret: [{ id: 'k', env: 'K' }] },
  ],
  [
    'a context of a build section wins over that of x-bake',
    'build: { additional_contexts: { c: ./one, d: "docker-image://x" }, x-bake: { contexts: { c: two } } }',
    { contexts: { c: 'one', d: 'docker-image://x' } },
  ],
  [
    'agents of x-bake are joined and sorted',
    'build: { ssh: [default], x-bake: { ssh: [default, key=./k] } }',
    { ssh: [{ id: 'default' }, { id: 'key', paths: ['./k'] }] },
  ],
  [
    'caches of x-bake follow those of the section',
    'build: { cache_from: [a], x-bake: { cache-from: ["type=local,src=c", a] } }',
    {
      'cache-from': [
        { type: 'registry', ref: 'a' },
        { type: 'local', src: 'c' },
      ],
    },
  ],
  [
    'the secret of a long form has the id of its source',
    'build: { secrets: [{ source: k, target: other }] }',
    { secret: [{ id: 'k', src: 'k' }] },
  ],
  ['labels may be a list', 'build: { labels: [a=b, c] }', { labels: { a: 'b', c: '' } }],
  [
    'a host may have several addresses',
    'build: { extra_hosts: ["h=10.0.0.1", "h=[::1]"] }',
    { 'extra-hosts': { h: '10.0.0.1,::1' } },
  ],
  [
    'attestations are texts and switches',
    'build: { sbom: true, provenance: mode=max }',
    { attest: [{ type: 'sbom' }, { type: 'provenance', mode: 'max' }] },
  ],
  [
    'a switch that is off sets nothing',
    'build: { pull: false, no_cache: "false", x-bake: { no-cache: false } }',
    { 'no-cache': false },
  ],
  ['an empty build section is the working directory', 'build: {}', { context: '.' }],
  ['a context is a path from the working directory', 'build: ./a/../b/', { context: 'b' }],
  [
    'a context may be a repository',
    'build: https://git.example/r.git#v1:dir',
    { context: 'https://git.example/r.git#v1:dir' },
  ],
])('%s', async (_, service, expected) => {
  expect(await serviceOf(service)).toMatchObject(expected);
});

test('arguments without a value get it from the environment of the service, its files, and around', async () => {
  const service = `env_file:
  - one.env
  - { path: none.env, required: false }
  - two.env
environment: [OWN=own, AROUND]
build: { args: [OWN, ONE, BOTH, USES, AROUND, NONE, ALONE] }`;
  const files = withFiles({ 'one.env': 'ONE=1\nBOTH=1\nOWN=file\n', 'two.env': 'BOTH=2\nUSES=${ONE}-${OWN}\nALONE\n' });
  const { args } = await serviceOf(service, { ...files, environment: { AROUND: 'around', ALONE: 'alone' } });
  expect(args).toEqual({ OWN: 'own', ONE: '1', BOTH: '2', USES: '1-own', AROUND: 'around', ALONE: 'alone' });
});

test('--var wins over the environment, which wins over .env', async () => {
  const service = 'build: { args: { A: $A, B: $B, C: $C } }';
  const files = withFiles({ '.env': 'A=dot\nB=dot\nC=dot\n' });
  const input = { ...files, environment: { A: 'env', B: 'env' }, variables: { A: 'var' } };
  expect((await serviceOf(service, input)).args).toEqual({ A: 'var', B: 'env', C: 'dot' });
  const hidden = { ...input, environment: { ...input.environment, BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP: '1' } };
  expect((await serviceOf(service, hidden)).args).toEqual({ A: 'var', B: 'dot', C: 'dot' });
});

test.each([
  ['', {}, 'bake'],
  ['', { COMPOSE_PROJECT_NAME: 'env' }, 'env'],
  ['name: My.${P}\n', { P: 'Shop', COMPOSE_PROJECT_NAME: 'env' }, 'myshop'],
])('the project of %j in %j is %s', async (name, environment, expected) => {
  const text = `${name}services: { s: { image: "\${COMPOSE_PROJECT_NAME}-s", build: . } }\n`;
  expect((await targetOf(text, 'compose.yaml', { environment })).tags).toEqual([`${expected}-s`]);
});

test('included files have their own directory and .env', async () => {
  const files = withFiles({
    'sub/compose.yaml':
      'include: [deeper/c.yml]\nservices: { a: { image: "a:${TAG}", build: { context: src, additional_contexts: [x=./x], secrets: [k] } } }\nsecrets: { k: { file: ./k } }\n',
    'sub/.env': 'TAG=sub\n',
    'sub/deeper/c.yml': 'services: { b: { extends: { file: base.yml, service: base } } }\n',
    'sub/deeper/base.yml': 'services: { base: { build: { context: ctx } } }\n',
  });
  const evaluated = await evaluateText('include: [{ path: sub/compose.yaml }]\n', 'compose.yaml', files);
  const { targets } = evaluated.resolve([], []);
  expect(targets.get('a')).toMatchObject({
    tags: ['a:sub'],
    context: 'sub/src',
    contexts: { x: 'sub/x' },
    secret: [{ id: 'k', src: 'sub/k' }],
  });
  expect(targets.get('b')).toMatchObject({ context: 'sub/deeper/ctx' });
});
