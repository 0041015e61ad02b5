import { expect, test } from 'vitest';
import { chooseStrategy, type Circumstances, type CopyFacts } from './strategy.ts';

const MIB = 1 << 20;

/** A copy of one file of 100 MiB to the image, which no other step needs. */
const COPY: CopyFacts = {
  isImageStep: true,
  isLeaf: true,
  hasStableStat: true,
  files: 1,
  bytes: 100 * MIB,
  largeFileBytes: 100 * MIB,
  hasEarlierLayer: false,
};

/** A build with one output, which compresses. */
const BUILD: Circumstances = {
  isKeyed: true,
  hasSubprocess: true,
  compresses: true,
  needsUncompressed: false,
  isIdle: true,
};

const SMALL = { bytes: 3, largeFileBytes: 0 };
const UNCOMPRESSED = { compresses: false, needsUncompressed: true };

test.each<[name: string, copy: Partial<CopyFacts>, build: Partial<Circumstances>, expected: string]>([
  ['a large file, compressed', {}, {}, 'subprocess, compressed only'],
  ['a large file, uncompressed', {}, UNCOMPRESSED, 'written'],
  ['a large file, uncompressed, while it is keyed', {}, { ...UNCOMPRESSED, isKeyed: false }, 'subprocess'],
  ['a large file, compressed in two ways', {}, { needsUncompressed: true }, 'subprocess'],
  ['a large file, while another layer is compressed', {}, { isIdle: false }, 'subprocess'],
  ['a large file, on one processor', {}, { hasSubprocess: false }, 'written'],
  ['a large file that may change without a change of its stats', { hasStableStat: false }, {}, 'written'],
  ['many small files', { files: 1000, ...SMALL }, {}, 'subprocess'],
  ['999 small files', { files: 999, ...SMALL }, {}, 'written'],
  ['16 MiB in small files', { files: 100, bytes: 16 * MIB, largeFileBytes: 0 }, {}, 'subprocess'],
  [
    'files of which large ones have half the bytes',
    { files: 100, largeFileBytes: 50 * MIB },
    {},
    'subprocess, compressed only',
  ],
  [
    'files of which large ones have less than half the bytes',
    { files: 100, largeFileBytes: 49 * MIB },
    {},
    'subprocess',
  ],
  ['files that are in an earlier layer', { files: 100, hasEarlierLayer: true }, {}, 'subprocess'],
  ['a small file', SMALL, {}, 'written'],
  ['a large file that a later step needs', { isLeaf: false }, {}, 'tree and subprocess'],
  ['a large file that a later step needs, on one processor', { isLeaf: false }, { hasSubprocess: false }, 'tree'],
  ['a small file that a later step needs', { isLeaf: false, ...SMALL }, {}, 'tree'],
  ['a large file in a stage that is not an image', { isImageStep: false, isLeaf: false }, {}, 'tree'],
])('The layer of %s is made by the fastest strategy', (_, copy, build, expected) => {
  const { makesTree, layer, keepsUncompressed } = chooseStrategy({ ...COPY, ...copy }, { ...BUILD, ...build });
  const parts = [
    ...(makesTree ? ['tree'] : []),
    ...(layer === 'written' ? ['written'] : []),
    ...(layer === 'written-in-subprocess' ? ['subprocess'] : []),
  ];
  expect(parts.join(' and ') + (keepsUncompressed ? '' : ', compressed only')).toBe(expected);
});
