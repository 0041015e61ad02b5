import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runSync } from '@tbuild/concurrency';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, openDirectory, openStatIndex, selectFiles, type StatIndex } from '@tbuild/context';
import { type CopyOp, GraphBuilder, resultId, type ResultId, type Step } from '@tbuild/graph';
import { createLayerPreparation, createLayerSubprocess } from '@tbuild/layers';
import { digestOf } from '@tbuild/oci';
import { createOverlaySnapshotter } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EarlyCopy, type EarlyCopyPorts, openEarlyCopy } from './early-copy.ts';
import type { ListedFiles } from './file-input.ts';
import { makeTree } from './make-tree.ts';

const root = mkdtempSync(join(tmpdir(), 'early-copy-'));
afterAll(() => rmSync(root, { recursive: true }));
const context = join(root, 'context');
const store = storeLayout(join(root, 'store'));

/** Many small files, a few others, and one that is large. */
beforeAll(async () => {
  for (let directory = 0; directory < 20; directory++) {
    mkdirSync(join(context, 'files', String(directory)), { recursive: true });
    for (let file = 0; file < 60; file++)
      writeFileSync(join(context, 'files', String(directory), String(file)), `${directory} ${file}`.repeat(file));
  }
  chmodSync(join(context, 'files/3/4'), 0o4755);
  symlinkSync('3', join(context, 'files/link'));
  truncateSync(join(context, 'files/5/6'), 5 << 20);
  writeFileSync(join(context, 'large'), '');
  truncateSync(join(context, 'large'), 1 << 24);
  // Times of files that changed just now cannot show a change.
  await sleep(60);
});

function opOf(source: string): CopyOp {
  return {
    kind: 'copy',
    from: { kind: 'context', name: '' },
    sources: [source],
    destination: '/',
    exclude: [],
    parents: false,
    unpack: false,
    keepOwner: false,
  };
}

interface Opened {
  readonly early: EarlyCopy;
  readonly step: Step;
  readonly op: CopyOp;
  readonly ports: EarlyCopyPorts;
  readonly index: StatIndex;
  readonly listed: ListedFiles;
  /** Ends as the build does when the step is cached. */
  readonly unneeded: AbortController;
  readonly starts: readonly string[];
}

let count = 0;

/** Opens the early copy of a source. `isLast`: no step stands on it, so that it needs no tree. */
function open({ source = 'files', isLast = false } = {}): Opened {
  const op = opOf(source);
  const builder = new GraphBuilder();
  const id = builder.add({ op, name: 'copy', sources: [], noCache: false });
  const [step] = builder.build([id]).steps.values();
  if (step === undefined) throw new Error('There is no step');
  const content = createLocalStore(store.root);
  const { signal } = new AbortController();
  const ports: Omit<EarlyCopyPorts, 'results' | 'unpackLimits'> = {
    store,
    content,
    snapshots: createOverlaySnapshotter({ store, flavour: 'user' }),
    layerSubprocess: createLayerSubprocess(store, content, [process.execPath, '--eval', '']),
    preparation: createLayerPreparation([], { signal }),
    imageSteps: new Set([id]),
    leafSteps: new Set(isLast ? [id] : []),
    importsCaches: false,
    flavour: 'user',
    epoch: undefined,
    dockerfileTime: 0,
    progress: { emit() {} },
    now: () => 0,
  };
  const index = openStatIndex(join(root, 'index', String(count++)));
  const sources = runSync(selectFiles(openDirectory(context), { sources: [source] }));
  const listed: ListedFiles = {
    select: async () => sources,
    hasher: index,
    owner: 'root',
    digestOnce: (entry) => index.digestOnce(entry),
  };
  const early = openEarlyCopy(step, ports as EarlyCopyPorts);
  const unneeded = new AbortController();
  const starts: string[] = [];
  early.allow({ signal: unneeded.signal, onStart: () => starts.push('started') });
  return { early, step, op, ports: ports as EarlyCopyPorts, index, listed, unneeded, starts };
}

async function list({ early, op, listed }: Opened, base?: ResultId): Promise<void> {
  await early.onListed({ op, selection: op, input: listed, base }, new AbortController().signal);
}

/** Lists everything in a directory with its attributes and bytes. */
function contentsOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((path) => {
      const { mode, uid, gid, mtimeMs, size } = lstatSync(join(directory, path));
      const isFile = (mode & 0o170000) === 0o100000;
      const bytes = isFile ? digestOf(readFileSync(join(directory, path))) : '';
      return [path, mode.toString(8), uid, gid, mtimeMs, isFile ? size : '', bytes].join(' ');
    });
}

const unfinished = (): string[] => readdirSync(store.activeSnapshots);

test.each([
  { isLast: false, isKeyed: false, starts: true },
  { isLast: false, isKeyed: true, starts: true },
  { isLast: true, isKeyed: false, starts: true },
  { isLast: true, isKeyed: true, starts: false },
])('A layer starts early, but that of the last copy not once its files are read: %o', async (given) => {
  const opened = open({ source: 'large', isLast: given.isLast });
  const listing = list(opened);
  if (given.isKeyed) opened.early.onKeyed();
  await listing;
  const pending = await opened.early.layer();
  expect(pending !== undefined).toBe(given.starts);
  expect(await pending?.layer).toBeUndefined();
  await opened.early.abort();
});

test('The early tree is the one that a copy makes when its files are keyed', async () => {
  const opened = open();
  await list(opened);
  await using early = opened.early.takeTree();
  const parts = [{ selection: opened.op, input: { select: opened.listed.select, hasher: createFileHasher() } }];
  const copy = { op: opened.op, step: opened.step, parts, base: undefined };
  await using late = await makeTree(copy, opened.ports, new AbortController().signal);
  expect(contentsOf(early?.upper ?? '')).toEqual(contentsOf(late.upper));
  expect(contentsOf(late.upper).length).toBeGreaterThan(1000);
  expect(opened.starts).toEqual(['started']);
});

test('Making the early tree reads small files for the key', async () => {
  const opened = open();
  await list(opened);
  await using tree = opened.early.takeTree();
  expect(tree).toBeDefined();
  const [source] = await opened.listed.select();
  const read = [...(source?.files ?? [])].filter(({ entry }) => opened.index.known(entry) !== undefined);
  expect(read.map(({ relative }) => relative)).not.toContain('5/6');
  expect(read.length).toBe(1199);
});

test.each<[what: string, options: { isLast?: boolean; base?: ResultId; isRead?: boolean }]>([
  ['that no step stands on', { isLast: true }],
  ['whose files were read by an earlier build', { isRead: true }],
  ['whose base has no tree yet', { base: resultId(digestOf('no tree')) }],
])('No early tree is made for a copy %s', async (_, { isLast, base, isRead }) => {
  const opened = open({ isLast });
  if (isRead) runSync(opened.index.openSelection(await opened.listed.select(), { owner: 'root' }).digest());
  await list(opened, base);
  expect([opened.early.takeTree(), opened.starts, unfinished()]).toEqual([undefined, [], []]);
  await opened.early.abort();
});

test.each<[what: string, end: (opened: Opened) => unknown]>([
  ['when its step turns out to be cached', ({ unneeded }) => unneeded.abort()],
  ['when files change while they are read', ({ early }) => early.abort()],
])('An early tree is discarded %s', async (_, end) => {
  const opened = open();
  await list(opened);
  expect(unfinished().length).toBe(1);
  await end(opened);
  expect([opened.early.takeTree(), unfinished()]).toEqual([undefined, []]);
});

test('An early tree that cannot be made leaves nothing behind', async () => {
  const opened = open();
  const failing = {
    ...opened.listed,
    digestOnce: () => {
      throw new Error('read error');
    },
  };
  await list({ ...opened, listed: failing });
  expect([opened.early.takeTree(), unfinished()]).toEqual([undefined, []]);
  await opened.early.abort();
});
