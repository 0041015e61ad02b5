import type { BuildOptions, BuildSpec } from '@tbuild/api';
import { expect, test } from 'vitest';
import type { Flag } from '../flags/args.ts';
import { buildFlags } from '../flags/build-flags.ts';
import { specWords } from './spec-words.ts';

type Settings = Omit<BuildOptions, 'onEvent' | 'signal' | 'env' | 'program'>;

const everything: Required<BuildSpec & Settings> = {
  context: 'dir',
  dockerfile: 'a/Dockerfile',
  contexts: { base: 'docker-image://base:1' },
  target: 'build',
  platforms: ['linux/arm64', 'linux/amd64'],
  buildArgs: { A: 'x=y', B: '' },
  labels: { l: 'm' },
  annotations: { 'index:n': 'o' },
  tags: ['a:1'],
  outputs: [
    { type: 'oci', dest: 'a,b.tar', name: ['x', 'y'], 'compression-level': 9, 'annotation.q': 'say "q"' },
    { type: 'image', push: true, store: undefined },
    'type=cacheonly',
  ],
  push: true,
  load: false,
  noCache: ['one', 'two'],
  pull: true,
  cacheFrom: ['cache:1', { type: 'local', src: 'dir' }],
  cacheTo: [{ type: 'registry', ref: 'cache:1', mode: 'max', 'ignore-error': true }],
  jobs: 2,
  network: 'none',
  extraHosts: ['a:10.0.0.1'],
  ssh: { default: true, key: ['a', 'b'], agent: 'socket' },
  shmSize: 4096,
  ulimits: { nofile: 5, core: { soft: 0, hard: -1 } },
  resources: { memory: '1g', cpus: 1.5 },
  cgroupParent: 'group',
  allow: ['network.host'],
  provenance: { mode: 'max', reproducible: true },
  sbom: true,
  timeout: '5m',
  root: 'store',
  insecureRegistries: ['localhost:5000'],
  registryMirrors: ['mirror.example'],
  mirrorsOnly: true,
  secrets: { id: 'value' },
  isolation: 'chroot',
};

test('each field says what an option of the command line says', () => {
  const { flags, positional, readSecret } = specWords(everything);
  expect(positional).toEqual(['dir']);
  expect(readSecret('id')).toEqual(Buffer.from('value'));
  expect(flags).toEqual({
    file: 'a/Dockerfile',
    'build-context': ['base=docker-image://base:1'],
    target: 'build',
    platform: ['linux/arm64', 'linux/amd64'],
    'build-arg': ['A=x=y', 'B='],
    label: ['l=m'],
    annotation: ['index:n=o'],
    tag: ['a:1'],
    output: [
      'type=oci,"dest=a,b.tar","name=x,y",compression-level=9,"annotation.q=say ""q"""',
      'type=image,push=true',
      'type=cacheonly',
    ],
    push: true,
    load: false,
    'no-cache-filter': ['one', 'two'],
    pull: true,
    'cache-from': ['cache:1', 'type=local,src=dir'],
    'cache-to': ['type=registry,ref=cache:1,mode=max,ignore-error=true'],
    jobs: '2',
    network: 'none',
    'add-host': ['a:10.0.0.1'],
    ssh: ['default', 'key=a,b', 'agent=socket'],
    'shm-size': '4096',
    ulimit: ['nofile=5', 'core=0:-1'],
    resource: ['memory=1g', 'cpus=1.5'],
    'cgroup-parent': 'group',
    allow: ['network.host'],
    provenance: 'mode=max,reproducible=true',
    sbom: 'true',
    timeout: '5m',
    root: 'store',
    'insecure-registry': ['localhost:5000'],
    'registry-mirror': ['mirror.example'],
    'skip-default-registry-fallback': true,
    isolation: 'chroot',
  });
});

/** Options of the screen, of the result, and what a program says in another way. */
const leftOut =
  'debug explain help progress quiet iidfile digest-file metadata-file call check attest no-cache registry-map secret'.split(
    ' ',
  );

test('every option of the command line has its field', () => {
  const reached = new Set([...Object.keys(specWords(everything).flags), ...leftOut]);
  const flags: readonly [string, Flag][] = Object.entries(buildFlags);
  const missing = flags.filter(([name, { hidden }]) => hidden !== true && !reached.has(name));
  expect(missing.map(([name]) => name)).toEqual([]);
});

test('true is every step, and a Dockerfile that is given is no file', () => {
  const { flags, dockerfile } = specWords({ context: '.', noCache: true, dockerfile: { text: 'FROM a' } });
  expect(flags['no-cache']).toBe(true);
  expect(flags.file).toBeUndefined();
  expect(dockerfile).toEqual({ kind: 'inline', text: 'FROM a', name: 'Dockerfile' });
});
