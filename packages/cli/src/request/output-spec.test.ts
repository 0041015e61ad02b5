import { expect, test } from 'vitest';
import { parseOutput } from './output-spec.ts';

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
    },
  ]),
  ['type=local,dest=out', { 'mode=copy': { mode: 'copy' }, 'mode=delete': { mode: 'delete' } }],
];

test.each(
  documented.flatMap(([type, options]) =>
    Object.entries(options).map(([option, expected]) => [type, option, expected] as const),
  ),
)('%s,%s', (type, option, expected) => {
  expect(parseOutput(`${type},${option}`, context)).toEqual({ ...parseOutput(type, context), ...expected });
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
])('%s', (text, expected) => {
  expect(parseOutput(text, context)).toEqual(expected);
});

test.each([
  ['dest=a', /has no type=/],
  ['type=local', /has no dest=/],
  ['type=local,dest=-', /a directory cannot be written to standard output/],
  ['type=oci,tar=false', /has no dest=/],
  ['type=zip,dest=a', /type "zip" is none of/],
  ['type=constructor', /type "constructor" is none of/],
  ['type=tar,destination=a', /type tar has no option "destination"/],
  ['type=tar,mode=delete', /type tar has no option "mode"/],
  ['type=local,dest=a,compression=gzip', /type local has no option "compression"/],
  ['type=oci,push=true', /type oci has no option "push"/],
  ['type=cacheonly,dest=a', /type cacheonly has no option "dest"/],
  ['type=oci,tar=maybe', /tar must be true or false/],
  ['type=local,dest=a,mode=mirror', /mode "mirror" is none of copy, delete/],
  ['type=local,dest=a,attestation-prefix=../x', /attestation-prefix must not contain "\/"/],
  ['type=oci,compression=brotli', /compression "brotli" is none of/],
  ['type=oci,compression-level=10', /compression-level must be 0 to 9 for gzip/],
  ['type=oci,compression=zstd,compression-level=23', /compression-level must be 0 to 22 for zstd/],
  ['type=oci,annotation-x.a=b', /not of the form annotation/],
  ['type=image,compression=estargz', /cannot be compressed with estargz/],
  ['type=image,compression=nydus', /cannot be compressed with nydus/],
  ['type=image,prefer-nondist-layers=false', /"prefer-nondist-layers=false" is not supported/],
  ['type=image,source-date-epoch=1', /"source-date-epoch=1" is not supported/],
  ['type=docker,tar=false', /"tar=false" is not supported/],
])('%s is refused', (text, message) => {
  expect(() => parseOutput(text, context)).toThrow(message);
});

test.each([
  ['type=oci,compresion=gzip', 'Did you mean compression=?'],
  ['type=regsitry', 'Did you mean type=registry?'],
  ['type=tar,frobnicate=1', 'Its options are dest, source-date-epoch, attestation-prefix, platform-split'],
])('%s: %s', (text, hint) => {
  expect(() => parseOutput(text, context)).toThrow(expect.objectContaining({ hint }));
});
