import { expect, test } from 'vitest';
import { parseOutput } from './output-spec.ts';

test.each([
  ['out', { type: 'local', destination: '/work/out' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=/a', { type: 'local', destination: '/a' }],
  ['type=tar', { type: 'tar', destination: '-' }],
  ['type=docker', { type: 'docker', destination: undefined }],
  ['type=docker,dest=a.tar', { type: 'docker', destination: '/work/a.tar' }],
  ['"dest=a,b.tar",type=docker', { type: 'docker', destination: '/work/a,b.tar' }],
  ['type=oci,dest=dir,tar=false,compression=uncompressed', { type: 'oci', destination: '/work/dir', tar: false, compression: 'uncompressed' }],
  ['type=oci', { type: 'oci', destination: '-', tar: true, compression: undefined }],
  ['type=image,push=true', { type: 'image', push: true, compression: undefined }],
  ['type=registry', { type: 'image', push: true, compression: undefined }],
  ['type=cacheonly', { type: 'cacheonly' }],
])('%s', (text, expected) => {
  expect(parseOutput(text, '/work')).toEqual(expected);
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
  expect(() => parseOutput(text, '/work')).toThrow(message);
});
