import { expect, test } from 'vitest';
import { outputSpec } from './output-spec.ts';

const context = { cwd: '/home/me', host: { os: 'linux', architecture: 'amd64' } };
const onManifest = (name: string, value: string) => ({ on: 'manifest', name, value });

/** Every output with each of its options, and what the option comes to. */
const documented: readonly [type: string, options: Readonly<Record<string, object>>][] = [
  ...(['type=image', 'type=registry', 'type=docker', 'type=oci'] as const).map(
    (type): [string, Readonly<Record<string, object>>] => [
      type,
      {
        '"name=a,b:1"': { names: ['docker.io/library/a:latest', 'docker.io/library/b:1'] },
        'compression=uncompressed': { compression: 'uncompressed' },
        'compression=gzip': { compression: 'gzip' },
        'compression=zstd,compression-level=22': { compression: 'zstd', compressionLevel: 22 },
        'compression-level=0': { compressionLevel: 0 },
        'force-compression=true': { forceCompression: true },
        'oci-mediatypes=true': { mediaTypes: 'oci' },
        'oci-mediatypes=false': { mediaTypes: 'docker' },
        'oci-artifact=false': { attestationArtifact: false },
        'attestation-inline=true': {},
        'prefer-nondist-layers=true': {},
        'rewrite-timestamp=true': { rewriteTimestamp: true },
        'annotation.a.b=c': { annotations: [onManifest('a.b', 'c')] },
        'annotation-manifest.a=c': { annotations: [onManifest('a', 'c')] },
        'annotation-index.a=c': { annotations: [{ on: 'index', name: 'a', value: 'c' }] },
        'annotation-manifest-descriptor[linux/arm64].a=c': {
          annotations: [
            { on: 'manifest-descriptor', platform: { os: 'linux', architecture: 'arm64' }, name: 'a', value: 'c' },
          ],
        },
      },
    ],
  ),
  ...(['type=image', 'type=registry'] as const).map((type): [string, Readonly<Record<string, object>>] => [
    type,
    {
      'push=true': { push: true },
      'push=false': { push: false },
      'push-by-digest=true': { byDigest: true },
      'registry.insecure=true': { insecure: true },
      'unpack=true': {},
      'store=false': { store: false },
      'dangling-name-prefix=none': { danglingPrefix: 'none' },
      'danging-name-empty-only=true': { danglingEmptyOnly: true },
      'name-canonical=true': { nameCanonical: true },
    },
  ]),
  [
    'type=docker',
    { 'dest=a.tar': { destination: '/home/me/a.tar' }, 'context=ci': { engineContext: 'ci' }, 'tar=true': {} },
  ],
  [
    'type=oci',
    {
      'dest=a.tar': { destination: '/home/me/a.tar' },
      'tar=false,dest=dir': { tar: false, destination: '/home/me/dir' },
    },
  ],
  ...(['type=local,dest=/a', 'type=tar,dest=/a'] as const).map((type): [string, Readonly<Record<string, object>>] => [
    type,
    {
      'platform-split=true': { platformSplit: true },
      'platform-split=false': { platformSplit: false },
      'attestation-prefix=x-': { attestationPrefix: 'x-' },
      'source-date-epoch=5': { epoch: 5000 },
      'source-date-epoch=': { epoch: 'none' },
    },
  ]),
  ['type=local,dest=out', { 'mode=copy': { mode: 'copy' }, 'mode=delete': { mode: 'delete' } }],
];

test.each(
  documented.flatMap(([type, options]) =>
    Object.entries(options).map(([option, expected]) => [type, option, expected] as const),
  ),
)('outputSpec reads %s,%s', (type, option, expected) => {
  expect(outputSpec(`${type},${option}`, context)).toEqual({ ...outputSpec(type, context), ...expected });
});

test.each([
  ['out', { type: 'local', destination: '/home/me/out' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=/a', { type: 'local', destination: '/a' }],
  ['type=tar', { type: 'tar', destination: '-' }],
  ['type=docker', { type: 'docker', destination: undefined }],
  ['"dest=a,b.tar",type=docker', { type: 'docker', destination: '/home/me/a,b.tar' }],
  ['type=oci', { type: 'oci', destination: '-', tar: true, compression: undefined }],
  ['type=image', { type: 'image', push: false }],
  ['type=registry', { type: 'image', push: true }],
  ['type=cacheonly', { type: 'cacheonly' }],
  ['type=image,push', { type: 'image', push: true }],
  ['type=image,push=1', { type: 'image', push: true }],
  ['type=image,push=False', { type: 'image', push: false }],
])('outputSpec reads %s', (text, expected) => {
  expect(outputSpec(text, context)).toEqual(expected);
});

test.each([
  ['dest=a', /type= is required/],
  ['type=local', /dest= is required/],
  ['type=local,dest=-', /a directory cannot be written to standard output/],
  ['type=oci,tar=false', /dest= is required/],
  ['type=zip,dest=a', /type "zip" is not one of/],
  ['type=constructor', /type "constructor" is not one of/],
  ['type=tar,destination=a', /type tar has no option "destination"/],
  ['type=tar,mode=delete', /type tar has no option "mode"/],
  ['type=local,dest=a,compression=gzip', /type local has no option "compression"/],
  ['type=oci,push=true', /type oci has no option "push"/],
  ['type=cacheonly,dest=a', /type cacheonly has no option "dest"/],
  ['type=oci,tar=maybe', /tar must be true or false/],
  ['type=local,dest=a,mode=mirror', /mode "mirror" is not one of copy, delete/],
  ['type=local,dest=a,attestation-prefix=../x', /attestation-prefix must not contain "\/"/],
  ['type=oci,compression=brotli', /compression "brotli" is not one of/],
  ['type=oci,compression-level=10', /compression-level must be 0 to 9 for gzip/],
  ['type=oci,compression=zstd,compression-level=23', /compression-level must be 0 to 22 for zstd/],
  ['type=oci,annotation-x.a=b', /not of the form annotation/],
  ['type=image,compression=estargz', 'Cannot compress layers with estargz'],
  ['type=image,compression=nydus', 'Cannot compress layers with nydus'],
  ['type=image,prefer-nondist-layers=false', '--output does not support prefer-nondist-layers=false'],
  ['type=image,source-date-epoch=soon', 'invalid SOURCE_DATE_EPOCH: soon'],
  ['type=docker,tar=false', '--output does not support tar=false'],
])('outputSpec refuses %s', (text, message) => {
  expect(() => outputSpec(text, context)).toThrow(message);
});

test('an output as data means the same as its text', () => {
  const data = {
    type: 'oci',
    dest: 'a,b.tar',
    name: ['a', 'b:1'],
    tar: undefined,
    compression: 'zstd',
    'compression-level': 9,
    'force-compression': true,
    'annotation.q': 'say "q"',
  } as const;
  const text =
    'type=oci,"dest=a,b.tar","name=a,b:1",compression=zstd,compression-level=9,force-compression,"annotation.q=say ""q"""';
  expect(outputSpec(data, context)).toEqual(outputSpec(text, context));
});

test.each([
  ['type=oci,compresion=gzip', 'Did you mean compression=?'],
  ['type=regsitry', 'Did you mean type=registry?'],
  ['', 'Write for example -o type=docker,dest=image.tar'],
  ['type=tar,frobnicate=1', 'Use its options: dest, attestation-prefix, platform-split, source-date-epoch'],
])('the error for %s has the hint %s', (text, hint) => {
  expect(() => outputSpec(text, context)).toThrow(expect.objectContaining({ hint }));
});
