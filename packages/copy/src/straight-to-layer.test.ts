import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CooperativeTask, runCooperatively, runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, digestSelection, openDirectory, selectFiles, type SelectOptions } from '@tbuild/context';
import { createDiffer, createLayerWriter, NotStreamable, readArchive } from '@tbuild/diff';
import type { Layer } from '@tbuild/oci';
import { createTreeWriter, storedTime } from '@tbuild/snapshot';
import { newDirectory, shell, writableFlavours } from '@tbuild/snapshot/testsuite';
import { beforeEach, describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { copyFiles } from './copy-files.ts';
import type { CopyOptions, CopyTarget } from './copy-options.ts';

const root = newDirectory();
const at = (name: string): string => join(root, name);
const content = createLocalStore(at('store'));
const [flavour = 'user'] = writableFlavours();

beforeEach(() => {
  for (const name of ['source', 'below', 'lower', 'upper']) {
    rmSync(at(name), { recursive: true, force: true });
    mkdirSync(at(name));
  }
});

interface Case {
  readonly source: string;
  readonly lower?: string;
  readonly select?: Partial<SelectOptions>;
  readonly op?: Partial<CopyTarget>;
  readonly options?: Partial<CopyOptions>;
}

/** Copies to a layer on top of the lower directories, as the builder does. */
function prepare({ source, lower = ':', select, op, options }: Case) {
  shell(source, at('source'));
  shell(lower, at('lower'));
  const hasher = createFileHasher();
  const selection = runSync(selectFiles(openDirectory(at('source')), { sources: ['.'], ...select }));
  runSync(digestSelection(selection, { hasher, owner: 'root' }));
  const lowers = [at('below'), at('lower')];
  const target = { destination: '/', keepOwner: false, ...op };
  return { selection, lowers, target, options: { now: 1e12, hasher, ...options } };
}

async function throughTree(prepared: ReturnType<typeof prepare>): Promise<Layer> {
  const { selection, lowers, target, options } = prepared;
  const writer = createTreeWriter({ upper: at('upper'), lowers, flavour });
  runSync(copyFiles(selection, writer, { target, options }));
  writer.finish();
  return createDiffer({ content, flavour }).pack(at('upper'), lowers);
}

function straight({ selection, lowers, target, options }: ReturnType<typeof prepare>): Layer {
  using writer = createLayerWriter({ content, lowers, flavour });
  runSync(copyFiles(selection, writer, { target, options }));
  writer.finish();
  return writer.commit();
}

async function listDirectory({ descriptor }: Layer): Promise<string[]> {
  const names: string[] = [];
  await readArchive(await content.read(descriptor), ({ name }) => void names.push(name));
  return names;
}

const FILES = 'mkdir -p a/b c; for f in a/x a/b/y a-b a.b c/z; do echo $f > $f; done; ln -s ../a c/link';
/** A time that loses precision when it is written. How much depends on Node. */
const FRACTION = Date.UTC(2020, 0, 1) + 123.456789;

/** Formats a time in seconds, with nanoseconds. */
function timestamp(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${seconds}.${String(Math.round((milliseconds - seconds * 1000) * 1e6)).padStart(9, '0')}`;
}

const OLD = `find . -exec touch -h -d '2020-01-01' {} +`;

const cases: [name: string, each: Case, members: number][] = [
  ['a directory to a new path', { source: FILES, op: { destination: '/new/place/' } }, 11],
  ['a directory into the root', { source: FILES }, 9],
  ['no files', { source: ':', op: { destination: '/lib' }, lower: 'mkdir lib' }, 0],
  [
    'a directory onto one with other attributes',
    { source: FILES, lower: 'mkdir -m 2700 c; chown 7:8 c; touch c/old' },
    9,
  ],
  [
    'a file beside existing directories',
    { source: 'echo > x', lower: 'mkdir -p usr/lib', op: { destination: '/usr/lib' } },
    3,
  ],
  [
    'a file through a link',
    { source: 'echo > x', lower: 'mkdir -p usr/lib; ln -s usr/lib lib', op: { destination: '/lib/' } },
    3,
  ],
  [
    'over files of the same time, one with other bytes',
    { source: `echo > x; echo > y; ${OLD}`, lower: `echo > x; echo 1 > y; ${OLD}` },
    1,
  ],
  [
    'over a file of the same time and size with other bytes',
    { source: `echo a > x; ${OLD}`, lower: `echo b > x; ${OLD}` },
    1,
  ],
  [
    'over a file with the same fraction of a second',
    {
      source: `echo a > x; touch -d @${timestamp(FRACTION)} x`,
      lower: `echo a > x; touch -d @${timestamp(storedTime(FRACTION))} x`,
    },
    0,
  ],
  ['links over links', { source: `ln -s a x; ln -s b y; ${OLD}`, lower: `ln -s a x; ln -s c y; ${OLD}` }, 1],
  ['a link over a file', { source: 'ln -s a x', lower: 'echo > x' }, 1],
  ['one file to a new name', { source: FILES, select: { sources: ['a/x'] }, op: { destination: '/d/name' } }, 2],
  ['files by pattern', { source: FILES, select: { sources: ['a*b'] }, op: { destination: '/d/' } }, 3],
  [
    'files with their parents',
    { source: FILES, select: { sources: ['a/b', 'c'], parents: true }, lower: 'mkdir c' },
    6,
  ],
  ['files except some', { source: FILES, select: { exclude: ['a', 'c/z'] } }, 4],
  [
    'files with another owner and mode',
    { source: FILES, op: { chmod: 0o640 }, options: { owner: { uid: 3, gid: 4 } } },
    9,
  ],
  ['files with their own owner', { source: `${FILES}; chown -R 5:6 .`, op: { keepOwner: true } }, 9],
  [
    'a file into directories of which some exist',
    {
      source: 'echo > x',
      lower: 'mkdir -p usr/lib; touch -d 2001-01-01 usr/lib usr',
      op: { destination: '/usr/lib/a/b/' },
    },
    5,
  ],
  [
    'files with parents that exist',
    {
      source: FILES,
      select: { sources: ['a/b/y'], parents: true },
      lower: 'mkdir -p a/b; echo > a/b/old; touch -d 2001-01-01 a/b a',
    },
    3,
  ],
  [
    'a FIFO, without a socket of another stage',
    {
      source: `mkfifo p; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('s')"`,
      op: { keepOwner: true },
    },
    1,
  ],
  [
    'long and non-ASCII names',
    { source: `mkdir ${'d'.repeat(120)}; echo > ${'d'.repeat(120)}/${'f'.repeat(120)}; echo > ä` },
    3,
  ],
  ['before 1970', { source: `echo > x; touch -d '1969-12-31 23:59:58.5' x` }, 1],
];

describe('A copy written straight to a layer has the same bytes as its packed tree', needs('root'), () => {
  test.each(cases)('%s', async (_, each, members) => {
    const prepared = prepare(each);
    const layer = straight(prepared);
    expect(layer).toEqual(await throughTree(prepared));
    expect(await listDirectory(layer)).toHaveLength(members);
  });

  test('files with any fraction of a second', async () => {
    for (let file = 0; file < 500; file++) {
      writeFileSync(join(at('source'), String(file)), '');
      utimesSync(join(at('source'), String(file)), 0, 1.7e9 + file * 7.001_003 + Math.random());
    }
    const prepared = prepare({ source: `touch -d '2020-01-01 00:00:00.999999999' 0` });
    expect(straight(prepared)).toEqual(await throughTree(prepared));
  });
});

const others: [name: string, each: Case][] = [
  ['two directories into one', { source: FILES, select: { sources: ['a', 'c'] }, op: { destination: '/new' } }],
  ['files in another order', { source: FILES, select: { sources: ['a.b', 'a-b'] }, op: { destination: '/new/' } }],
  ['a file twice', { source: FILES, select: { sources: ['a.b', 'a.b'] }, op: { destination: '/new/' } }],
  ['hard links', { source: 'echo > x; ln x y' }],
];

test.each(others)('A copy that is not in archive order is refused and leaves no temporary file: %s', (_, each) => {
  expect(() => straight(prepare(each))).toThrow(NotStreamable);
  expect(readdirSync(at('store/tmp'))).toEqual([]);
});

test('Hashing and copying a huge file stop when the build is cancelled', async () => {
  shell('truncate -s 1T huge', at('source'));
  const selection = runSync(selectFiles(openDirectory(at('source')), { sources: ['.'] }));
  const hasher = createFileHasher();
  const [target, options] = [
    { destination: '/', keepOwner: false },
    { now: 1e12, hasher },
  ];
  const tree = createTreeWriter({ upper: at('upper'), lowers: [], flavour });
  using layer = createLayerWriter({ content, lowers: [], flavour });
  const works: readonly CooperativeTask<unknown>[] = [
    digestSelection(selection, { hasher, owner: 'root' }),
    copyFiles(selection, tree, { target, options }),
    copyFiles(selection, layer, { target, options }),
  ];
  for (const work of works) {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    await expect(runCooperatively(work, controller.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
  }
});
