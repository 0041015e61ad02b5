import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Statement } from '@tbuild/images';
import { expect, test } from 'vitest';
import { readRecipe } from './recipe.ts';

const recorded = (file: string): Statement =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../fixtures/buildkit-bytes', file), 'utf8'));

const EMPTY = { contexts: {}, labels: {}, secrets: [], ssh: [] };

test('provenance that BuildKit wrote in version 1 with mode=max is read', () => {
  expect(readRecipe([recorded('provenance-max/statement-d2e788a4aaec.json')])).toEqual({
    ...EMPTY,
    buildArgs: { SOURCE_DATE_EPOCH: '1700000000' },
    locals: ['base'],
    hasArguments: true,
  });
});

test('provenance that BuildKit wrote in version 0.2 with mode=min is read', () => {
  expect(readRecipe([recorded('provenance-min-v02/statement-f3312075273b.json')])).toEqual({
    ...EMPTY,
    buildArgs: {},
    locals: ['base'],
    hasArguments: false,
  });
});

const provenance = (source: object, request: object = {}, materials: readonly object[] = []): Statement => ({
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      externalParameters: { configSource: source, request: { frontend: 'dockerfile.v0', ...request } },
      resolvedDependencies: materials,
    },
  },
});
const commit = 'a'.repeat(40);
const digest = 'b'.repeat(64);

test.each([
  ['a git context', { uri: 'https://h/r.git#main', digest: { sha1: commit } }, `https://h/r.git#${commit}`],
  ['a directory in it', { uri: 'https://h/r.git#main:sub', digest: { sha1: commit } }, `https://h/r.git#${commit}:sub`],
  ['the default branch', { uri: 'https://h/r.git', digest: { sha1: commit } }, `https://h/r.git#${commit}`],
  ['an scp-like address', { uri: 'git@h:r#v1', digest: { sha1: commit } }, `git@h:r#${commit}`],
  ['an archive', { uri: 'https://h/a.tar', digest: { sha256: digest } }, 'https://h/a.tar'],
  ['a digest that is none', { uri: 'https://h/r.git#main', digest: { sha1: '--upload-pack' } }, 'https://h/r.git#main'],
])('%s is pinned to what was built', (_, source, context) => {
  expect(readRecipe([provenance(source)])?.context).toBe(context);
});

test.each([
  ['https://h/r.git#main:sub', 'https://h/r.git#main'],
  ['https://h/r.git#:sub', 'https://h/r.git'],
  ['https://h/r.git#main', 'https://h/r.git#main'],
])('%s is pinned to the commit of the material %s', (uri, material) => {
  const materials = [
    { uri: 'https://h/other.git#main', digest: { sha1: 'b'.repeat(40) } },
    { uri: material, digest: { sha1: commit } },
  ];
  const context = `https://h/r.git#${commit}${uri.endsWith(':sub') ? ':sub' : ''}`;
  expect(readRecipe([provenance({ uri }, {}, materials)])?.context).toBe(context);
});

test('a statement whose type is the name of a member of every object has no recipe', () => {
  expect(readRecipe([{ predicateType: 'constructor', predicate: {} }])).toBeUndefined();
});

test('paths of this machine are not taken from an image', () => {
  const args = { 'context:a': '/etc', 'context:b': './b', 'context:c': '--upload-pack=x' };
  const recipe = readRecipe([provenance({ uri: '/etc', path: '../../etc/passwd' }, { args })]);
  expect(recipe).toEqual({ ...EMPTY, buildArgs: {}, hasArguments: false, locals: ['a', 'b', 'c'] });
});

test('base images get their recorded digests', () => {
  const materials = [
    { uri: 'pkg:docker/alpine@3.20?platform=linux%2Famd64', digest: { sha256: digest } },
    { uri: 'pkg:docker/localhost%3A5000/a/b@1', digest: { sha256: digest } },
    { uri: 'pkg:docker/100%@1', digest: { sha256: digest } },
    { uri: 'pkg:docker/pinned?digest=sha256:x', digest: { sha256: digest } },
    { uri: 'https://h/file', digest: { sha256: digest } },
  ];
  expect(readRecipe([provenance({}, {}, materials)])?.contexts).toEqual({
    'alpine:3.20': `docker-image://alpine:3.20@sha256:${digest}`,
    'localhost:5000/a/b:1': `docker-image://localhost:5000/a/b:1@sha256:${digest}`,
    '100%:1': `docker-image://100%:1@sha256:${digest}`,
  });
});

test('arguments, contexts, secrets and local directories are sorted by kind', () => {
  const args = {
    'build-arg:A': '1',
    'label:l': 'v',
    'context:docs': 'https://h/docs.git',
    'context:mine': 'local:mine',
    target: 't',
  };
  const request = { args, secrets: [{ id: 's' }, { id: 'o', optional: true }], locals: [{ name: 'context' }] };
  expect(readRecipe([provenance({ path: 'sub/Dockerfile' }, request)])).toMatchObject({
    dockerfile: 'sub/Dockerfile',
    target: 't',
    buildArgs: { A: '1' },
    labels: { l: 'v' },
    contexts: { docs: 'https://h/docs.git' },
    locals: ['mine'],
    secrets: [
      { id: 's', optional: false },
      { id: 'o', optional: true },
    ],
  });
});

test.each([
  ['of another builder', { predicateType: 'https://slsa.dev/provenance/v1', predicate: { buildDefinition: {} } }],
  ['about packages', { predicateType: 'https://spdx.dev/Document', predicate: {} }],
  ['without content', { predicateType: 'https://slsa.dev/provenance/v0.2', predicate: null }],
])('a statement %s is no recipe', (_, statement) => {
  expect(readRecipe([statement])).toBeUndefined();
});
