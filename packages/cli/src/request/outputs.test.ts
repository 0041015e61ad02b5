import { expect, test } from 'vitest';
import { outputSpecs } from './outputs.ts';

const host = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm64' };
const outputs = (
  spec: Parameters<typeof outputSpecs>[0],
  { tags = ['docker.io/library/a:1'], platforms = [host], hasIndex = false } = {},
) => outputSpecs(spec, { cwd: '/home/me', tags, platforms, hasIndex, host });

test.each([
  ['nothing means the store', {}, [{ type: 'image', push: false }]],
  ['--push', { push: true }, [{ type: 'image', push: true }]],
  [
    '--push applies to an image output',
    { push: true, outputs: ['type=image,compression=zstd'] },
    [{ type: 'image', push: true, compression: 'zstd' }],
  ],
  [
    '--push beside another output',
    { push: true, outputs: ['out'] },
    [
      { type: 'local', destination: '/home/me/out' },
      { type: 'image', push: true },
    ],
  ],
  ['--load', { load: true }, [{ type: 'docker' }]],
  ['--load once', { load: true, outputs: ['type=docker'] }, [{ type: 'docker' }]],
  [
    '--load beside an archive',
    { load: true, outputs: ['type=docker,dest=a.tar'] },
    [{ type: 'docker', destination: '/home/me/a.tar' }, { type: 'docker' }],
  ],
  [
    '--annotation is for every image output',
    { annotations: { 'index,manifest[arm64]:a': 'b=c' }, outputs: ['out', 'type=oci'] },
    [
      { type: 'local', destination: '/home/me/out' },
      {
        type: 'oci',
        destination: '-',
        tar: true,
        annotations: [
          { on: 'index', name: 'a', value: 'b=c' },
          { on: 'manifest', platform: arm, name: 'a', value: 'b=c' },
        ],
      },
    ],
  ],
])('outputSpecs: %s', (_name, spec, expected) => {
  expect(outputs(spec, { hasIndex: true })).toEqual(expected);
});

test.each([
  [
    'an annotation of an unknown kind',
    () => outputs({ annotations: { 'indx:a': 'b' }, outputs: ['type=oci'] }),
    'Invalid annotation kind "indx": expected manifest, index',
  ],
  [
    'an annotation of an index without an index',
    () => outputs({ annotations: { 'index-descriptor:a': 'b' } }),
    'Annotation "a" is for an index, but the image of one platform has none',
  ],
  ['a push without a name', () => outputs({ push: true }, { tags: [] }), '--push needs a name for the image'],
  [
    'several platforms for an archive of Docker',
    () => outputs({ outputs: ['type=docker,dest=a.tar'] }, { platforms: [host, arm] }),
    'A docker archive holds the image of one platform',
  ],
])('outputSpecs: %s is refused', (_name, parse, message) => {
  expect(parse).toThrow(message);
});

test('an engine is told of several platforms', () => {
  expect(outputs({ load: true }, { platforms: [host, arm] })).toEqual([{ type: 'docker', severalPlatforms: true }]);
});

test('a push is possible with the name of an output alone', () => {
  expect(outputs({ outputs: ['type=registry,name=a'] }, { tags: [] })).toMatchObject([
    { names: ['docker.io/library/a:latest'], push: true },
  ]);
});
