import { expect, test } from 'vitest';
import { parseOutput } from './output-spec.ts';

const host = { os: 'linux', architecture: 'amd64' };

test.each([
  ['out', { type: 'local', destination: '/home/me/out' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=/a', { type: 'local', destination: '/a' }],
  ['type=tar', { type: 'tar', destination: '-' }],
  ['type=docker', { type: 'docker', destination: undefined }],
  ['type=docker,dest=a.tar', { type: 'docker', destination: '/home/me/a.tar' }],
  ['"dest=a,b.tar",type=docker', { type: 'docker', destination: '/home/me/a,b.tar' }],
  [
    'type=oci,dest=dir,tar=false,compression=uncompressed',
    { type: 'oci', destination: '/home/me/dir', tar: false, compression: 'uncompressed' },
  ],
  ['type=oci', { type: 'oci', destination: '-', tar: true, compression: undefined }],
  ['type=image,push=true', { type: 'image', push: true, compression: undefined }],
  ['type=registry', { type: 'image', push: true, compression: undefined }],
  ['type=cacheonly', { type: 'cacheonly' }],
  [
    'type=registry,push-by-digest,"name=a,b:1",store=false',
    {
      type: 'image',
      push: true,
      byDigest: true,
      store: false,
      names: ['docker.io/library/a:latest', 'docker.io/library/b:1'],
    },
  ],
  [
    'type=oci,compression-level=9,force-compression,oci-mediatypes=false',
    { type: 'oci', destination: '-', tar: true, compressionLevel: 9, forceCompression: true, mediaTypes: 'docker' },
  ],
  [
    'type=oci,annotation.a.b=c',
    { type: 'oci', destination: '-', tar: true, annotations: [{ on: 'manifest', name: 'a.b', value: 'c' }] },
  ],
  [
    'type=oci,annotation-manifest-descriptor[linux/arm64].a=c',
    {
      type: 'oci',
      destination: '-',
      tar: true,
      annotations: [
        { on: 'manifest-descriptor', platform: { os: 'linux', architecture: 'arm64' }, name: 'a', value: 'c' },
      ],
    },
  ],
  ['type=local,dest=/a,platform-split=false', { type: 'local', destination: '/a', platformSplit: false }],
])('%s', (text, expected) => {
  expect(parseOutput(text, '/home/me', host)).toEqual(expected);
});

test.each([
  ['dest=a', /has no type=/],
  ['type=local', /has no dest=/],
  ['type=zip,dest=a', /type "zip" is none of/],
  ['type=tar,destination=a', /type tar has no option "destination"/],
  ['type=oci,tar=maybe', /tar must be true or false/],
  ['type=oci,compression=brotli', /compression "brotli" is none of/],
  ['type=constructor', /type "constructor" is none of/],
])('%s is refused', (text, message) => {
  expect(() => parseOutput(text, '/home/me', host)).toThrow(message);
});
