import { expect, test } from 'vitest';
import { evaluateText, targetOf } from '../../test/bake.ts';

test('a build section in every form becomes a target', async () => {
  const text = `
x-common: &common
  args: [A=1]
  labels: { l: m }
services:
  app:
    image: app:\${TAG:-dev}
    build:
      <<: *common
      context: ./app
      dockerfile: Other
      target: prod
      additional_contexts:
        - lib=./lib
        - base=service:base.image
      cache_from: [app:cache, "type=local,src=c"]
      network: none
      platforms: [linux/amd64, linux/arm64]
      secrets:
        - token
        - source: file
          target: without-effect
      ssh: [default, key=./k]
      shm_size: 128m
      ulimits: { nproc: 65535, nofile: { soft: 20000, hard: 40000 } }
      extra_hosts: ["a:10.0.0.1", "b=::1"]
      x-bake:
        output: type=oci,dest=app.tar
        no-cache-filter: [one]
  base.image:
    build: base
  no-build:
    image: x
    profiles: [debug]
  profiled:
    profiles: [debug]
    build: { dockerfile_inline: "FROM scratch" }
secrets:
  token: { environment: TOKEN }
  file: { file: ./s.txt }
`;
  const files = await evaluateText(text, 'compose.yaml');
  const { groups, targets } = files.resolve([], []);
  expect(groups.get('default')?.targets).toEqual(['app', 'base_image', 'profiled']);
  expect(targets.get('app')).toMatchObject({
    context: 'app',
    dockerfile: 'Other',
    target: 'prod',
    args: { A: '1' },
    labels: { l: 'm' },
    tags: ['app:dev'],
    contexts: { lib: 'lib', base: 'target:base_image' },
    'cache-from': [
      { type: 'registry', ref: 'app:cache' },
      { type: 'local', src: 'c' },
    ],
    network: 'none',
    platforms: ['linux/amd64', 'linux/arm64'],
    secret: [
      { id: 'token', env: 'TOKEN' },
      { id: 'file', src: 's.txt' },
    ],
    ssh: [{ id: 'default' }, { id: 'key', paths: ['./k'] }],
    'shm-size': '128MiB',
    ulimits: ['nofile=20000:40000', 'nproc=65535:65535'],
    'extra-hosts': { a: '10.0.0.1', b: '::1' },
    output: [{ type: 'oci', dest: 'app.tar' }],
    'no-cache-filter': ['one'],
  });
  expect(targets.get('profiled')).toMatchObject({ 'dockerfile-inline': 'FROM scratch' });
});

test('a service extends one of the same file and one of another file, whose paths are beside that', async () => {
  const text = `
services:
  app:
    extends: { file: common/base.yml, service: base }
    build: { args: { B: "2" } }
  child:
    extends: app
    image: child
`;
  const other = 'services:\n  base:\n    image: base\n    build:\n      context: src\n      args: { A: "1", B: "1" }\n';
  const readFile = (name: string) => (name === 'common/base.yml' ? { name, text: other } : undefined);
  const { targets } = (await evaluateText(text, 'compose.yaml', { readFile })).resolve([], []);
  expect(targets.get('app')).toMatchObject({ context: 'common/src', args: { A: '1', B: '2' }, tags: ['base'] });
  expect(targets.get('child')).toMatchObject({ context: 'common/src', args: { A: '1', B: '2' }, tags: ['child'] });
});

test.each([
  ['${A}-$A-${B:-x}-${A:+set}-$$C-${B-${A}}', 'a-a-x-set-$C-a'],
  ['${E-unset}|${E:-empty}', '|empty'],
])('%s is interpolated to %s', async (text, expected) => {
  const environment = { A: 'a', E: '' };
  const { labels } = await targetOf(`services: { s: { build: { labels: { l: "${text}" } } } }`, 'compose.yml', {
    environment,
  });
  expect(labels?.l).toBe(expected);
});

test('aliases that multiply are refused', async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `x-${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
  );
  const text = `x-0: &l0 [a]\n${levels.join('\n')}\nservices: { s: { build: . } }\n`;
  await expect(evaluateText(text, 'compose.yaml')).rejects.toThrow('Invalid YAML');
});

test('a later file adds to lists and mappings, and replaces or resets what it marks', async () => {
  const base = `services:\n  app:\n    build:\n      context: .\n      tags: [a:1]\n      args: { A: 1, B: 2 }\n      labels: { l: m }\n      cache_from: [app:cache]\n`;
  const later = `services:\n  app:\n    build:\n      tags: !override [b:1]\n      args: !override { C: 3 }\n      labels: { n: o }\n      cache_from: !reset []\n`;
  const files = [
    { name: 'compose.yaml', text: base },
    { name: 'compose.override.yaml', text: later },
  ];
  const target = await targetOf('', 'compose.yaml', { files });
  expect(target).toMatchObject({ tags: ['b:1'], args: { C: '3' }, labels: { l: 'm', n: 'o' } });
  expect(target.args).toEqual({ C: '3' });
  expect(target['cache-from']).toBeUndefined();
});
