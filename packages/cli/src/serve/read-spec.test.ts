import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildSettings, BuildSpec } from '@tbuild/spec';
import { expect, test } from 'vitest';
import { readEnvironment } from '../config/environment.ts';
import { parseArgs, type Flag } from '../flags/args.ts';
import { buildFlags } from '../flags/build-flags.ts';
import { settingsFromFlags, specFromFlags } from '../flags/build-spec.ts';
import { buildRequest } from '../request/build-request.ts';
import { readSpec } from './read-spec.ts';

const env = { ...readEnvironment(), cwd: '/', variables: { SSH_AUTH_SOCK: '/run/agent' } };
const places = { host: { os: 'linux', architecture: 'amd64' }, root: '/store' };

const policy = join(mkdtempSync(join(tmpdir(), 'tbuild-spec-')), 'policy.json');
writeFileSync(policy, '{"rules": [{"action": "DENY", "selector": {"identifier": "*"}}]}');

const everything: Required<BuildSpec & BuildSettings> & { readonly secrets: Readonly<Record<string, string>> } = {
  context: 'proc',
  dockerfile: 'a/Dockerfile',
  contexts: { base: 'docker-image://base:1' },
  target: 'build',
  platforms: ['linux/arm64', 'linux/amd64'],
  buildArgs: { A: 'x=y', B: '' },
  labels: { l: 'm' },
  annotations: { 'index:n': 'o' },
  baseAnnotations: true,
  env: { A: 'b=c' },
  unsetEnv: ['B'],
  unsetLabels: ['c'],
  omitHistory: true,
  ignoreFile: 'ignore',
  sourcePolicy: policy,
  rewriteTimestamp: true,
  tags: ['a:1'],
  outputs: [
    { type: 'oci', dest: 'a,b.tar', name: ['x', 'y'], 'compression-level': 9, 'annotation.q': 'say "q"' },
    { type: 'image', push: true, store: undefined },
    'type=cacheonly',
  ],
  push: true,
  load: false,
  noCache: ['one', 'two'],
  cacheTtl: '24h',
  rebuildSecrets: ['token'],
  pull: true,
  cacheFrom: ['cache:1', { type: 'local', src: 'dir' }],
  cacheTo: [{ type: 'registry', ref: 'cache:1', mode: 'max', 'ignore-error': true }],
  jobs: 2,
  network: 'none',
  extraHosts: ['a:10.0.0.1'],
  ssh: { default: true, key: ['etc/passwd', 'etc/group'], agent: 'dev/null' },
  shmSize: 4096,
  ulimits: { nofile: 5, core: { soft: 0, hard: -1 } },
  resources: { memory: '1g', cpus: 1.5 },
  cgroupParent: 'group',
  allow: ['network.host'],
  provenance: { mode: 'max', reproducible: true },
  sbom: true,
  logMax: '2m',
  fakeIds: true,
  timeout: '5m',
  root: 'store',
  insecureRegistries: ['localhost:5000'],
  registryMirrors: ['mirror.example', 'quay.io=mirror.example/quay'],
  mirrorsOnly: true,
  ca: ['ca.pem'],
  cdiSpecDirs: ['/cdi'],
  registryCertificates: { 'r.example': { ca: 'a.pem', certificate: 'b.pem', key: 'c.pem' } },
  unpackLimits: 'size=1gb',
  minDownloadRate: '10k/1m',
  serverTimeout: '1m',
  secrets: { id: 'value' },
  isolation: 'chroot',
};

/** The same in the words of the command line. */
const words = [
  ['-f', 'a/Dockerfile', '--build-context', 'base=docker-image://base:1', '--target', 'build'],
  ['--platform', 'linux/arm64,linux/amd64', '--build-arg', 'A=x=y', '--build-arg', 'B=', '--label', 'l=m'],
  ['--annotation', 'index:n=o', '-t', 'a:1', '--push', '--load=false', '--pull', '--jobs', '2', '--network', 'none'],
  ['-o', 'type=oci,"dest=a,b.tar","name=x,y",compression-level=9,"annotation.q=say ""q"""'],
  ['-o', 'type=image,push=true', '-o', 'type=cacheonly', '--no-cache-filter', 'one', '--no-cache-filter', 'two'],
  ['--cache-from', 'cache:1', '--cache-from', 'type=local,src=dir'],
  ['--cache-to', 'type=registry,ref=cache:1,mode=max,ignore-error=true', '--add-host', 'a:10.0.0.1'],
  [
    '--ssh',
    'default',
    '--ssh',
    'key=etc/passwd,etc/group',
    '--ssh',
    'agent=dev/null',
    '--shm-size',
    '4096',
    '--ulimit',
    'nofile=5',
  ],
  ['--ulimit', 'core=0:-1', '--resource', 'memory=1g,cpus=1.5', '--cgroup-parent', 'group', '--allow', 'network.host'],
  ['--provenance', 'mode=max,reproducible=true', '--sbom', 'true', '--timeout', '5m', '--root', 'store'],
  ['--insecure-registry', 'localhost:5000', '--registry-mirror', 'mirror.example', '--isolation', 'chroot'],
  ['--registry-map', 'quay.io=mirror.example/quay', '--skip-default-registry-fallback', 'proc'],
  ['--base-annotations', '--env', 'A=b=c', '--unsetenv', 'B', '--unsetlabel', 'c', '--omit-history'],
  [
    '--ignorefile',
    'ignore',
    '--source-policy-file',
    policy,
    '--rewrite-timestamp',
    '--log-max',
    '2m',
    '--ca',
    'ca.pem',
    '--fake-ids',
    '--cdi-spec-dir',
    '/cdi',
  ],
  ['--cache-ttl', '24h', '--secret', 'id=token,env=TOKEN,rebuild=true'],
  ['--unpack-limits', 'size=1gb', '--min-download-rate', '10k/1m', '--server-timeout', '1m'],
  ['--registry-certificate', 'r.example=a.pem', '--registry-client-cert', 'r.example=b.pem,c.pem'],
].flat();

const { flags, positional } = parseArgs(words, buildFlags);

test('every field of a program means what its option means on the command line', () => {
  const { spec, settings } = readSpec(everything);
  const fromWords = specFromFlags(flags, positional, env);
  expect(buildRequest(spec, env, places)).toEqual(buildRequest(fromWords, env, places));
  expect(settings).toEqual(settingsFromFlags(flags));
  expect(spec.timeout).toBe(fromWords.timeout);
});

/** Options of the screen, of the result, and those with another form in the test above. */
const leftOut =
  'debug explain help on-error progress quiet iidfile digest-file metadata-file call check attest no-cache secret dotenv-file cyclonedx-file report format gitlab-metadata build-arg-file timestamp'.split(
    ' ',
  );

test('every option of the command line has a field for programs', () => {
  const reached = new Set([...Object.keys(flags), ...leftOut]);
  const all: readonly [string, Flag][] = Object.entries(buildFlags);
  const missing = all.filter(([name, { hidden }]) => hidden !== true && !reached.has(name));
  expect(missing.map(([name]) => name)).toEqual([]);
});

test('a spec that went through JSON gives the same request', () => {
  const { secrets: _, ...plain } = everything;
  const { spec } = readSpec(JSON.parse(JSON.stringify(plain)));
  expect(buildRequest(spec, env, places)).toEqual(buildRequest(readSpec(plain).spec, env, places));
});

test('secrets of a program reach the steps that ask for them by id', () => {
  expect(readSpec(everything).readSecret('id')).toEqual(Buffer.from('value'));
});

test('noCache true ignores the cache for every step, and the text of a Dockerfile is no file', () => {
  const { spec } = readSpec({ context: '/proc', noCache: true, dockerfile: { text: 'FROM a' } });
  expect(buildRequest(spec, env, places)).toMatchObject({
    noCache: true,
    dockerfile: { kind: 'inline', text: 'FROM a', name: 'Dockerfile' },
  });
});
