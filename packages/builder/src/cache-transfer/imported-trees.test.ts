import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createLocalStore, createMemoryStore, fromBytes } from '@tbuild/content';
import { createDiffer } from '@tbuild/diff';
import { resultId, stepKey } from '@tbuild/graph';
import { createStepResults } from '@tbuild/layers';
import { lgetxattr, lsetxattr } from '@tbuild/linux';
import { digestOf, layerMediaType, type Layer, type LayerCompression } from '@tbuild/oci';
import { createOverlaySnapshotter, openLayeredTree } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { createImportedSteps } from './imported-steps.ts';

const root = mkdtempSync(join(tmpdir(), 'imported-trees-'));
afterAll(() => rmSync(root, { recursive: true }));

const flavour = 'user';
const idOf = (name: string) => resultId(digestOf(name));

/** Returns an archive of these members, which need not have their parents. */
function archiveOf(...members: readonly string[]): Buffer {
  const directory = mkdtempSync(join(root, 'files-'));
  for (const member of members) {
    mkdirSync(join(directory, dirname(member)), { recursive: true });
    if (!member.endsWith('/')) writeFileSync(join(directory, member), member);
    else mkdirSync(join(directory, member), { recursive: true });
  }
  return execFileSync('tar', ['-cf', '-', '--no-recursion', '--owner=0', '--group=0', ...members], { cwd: directory });
}

/** A cache whose steps `1`, `2`, … stand on each other and have these layers. */
async function openCache(layers: readonly { readonly archive: Buffer; readonly said?: Partial<Layer> }[]) {
  const store = storeLayout(mkdtempSync(join(root, 'store-')));
  const content = createLocalStore(store.root);
  const snapshots = createOverlaySnapshotter({ store, flavour });
  const remote = createMemoryStore();
  const imported = createImportedSteps({ store, content });
  const progress = { emit: () => {} };
  const { signal } = new AbortController();
  const results = createStepResults(
    { store, content, snapshots, differ: createDiffer({ content, flavour }) },
    { remote: imported.layers, progress, now: Date.now, signal },
  );
  for (const [at, { archive, said }] of layers.entries()) {
    const blob = gzipSync(archive);
    const stored = await remote.write(fromBytes(blob));
    const layer = { descriptor: { ...stored, mediaType: layerMediaType('gzip') }, diffId: digestOf(archive), ...said };
    const parent = at === 0 ? undefined : idOf(String(at));
    const record = { key: stepKey(digestOf(`key ${at}`)), result: idOf(String(at + 1)), parent, createdAt: 0 };
    imported.add({ steps: [{ record, layer, contents: {} }], mounts: [] }, { provider: remote });
    results.saveLayer(record.result, { ...layer, parent: parent ?? null });
  }
  return { results, content, top: idOf(String(layers.length)) };
}

test('The tree of cached layers shows them all, also one that lacks the parents of its files', async () => {
  const [first, second, third] = [archiveOf('a/', 'a/1'), archiveOf('b/', 'b/2'), archiveOf('a/3')];
  const { results, content, top } = await openCache([first, second, third].map((archive) => ({ archive })));
  const { directories } = await results.snapshot(top);
  expect(directories).toHaveLength(3);
  const tree = openLayeredTree(directories, flavour);
  expect(['', 'a', 'b'].map((path) => tree.list(path).map(({ name }) => name))).toEqual([
    ['a', 'b'],
    ['1', '3'],
    ['2'],
  ]);
  for (const archive of [first, second, third])
    expect(await content.has({ digest: digestOf(gzipSync(archive)) })).toBe(true);
});

test('A cached layer is extracted onto a tree that is there already, whose directories keep what no layer has', async () => {
  const { results, top } = await openCache(
    [archiveOf('a/', 'a/1'), archiveOf('a/', 'a/2')].map((archive) => ({ archive })),
  );
  const [first = ''] = (await results.snapshot(idOf('1'))).directories;
  lsetxattr(join(first, 'a'), 'user.note', Buffer.from('kept'));
  const { directories } = await results.snapshot(top);
  expect(lgetxattr(join(directories.at(-1) ?? '', 'a'), 'user.note')?.toString()).toBe('kept');
});

test.each<[what: string, compression: LayerCompression, diffId: string | undefined]>([
  ['another diff ID', 'gzip', 'other bytes'],
  ['another compression', 'uncompressed', undefined],
])('A cached layer with %s than promised is refused and not stored', async (_, compression, other) => {
  const archive = archiveOf('a');
  const blob = gzipSync(archive);
  const descriptor = { mediaType: layerMediaType(compression), digest: digestOf(blob), size: blob.length };
  const said = { descriptor, ...(other === undefined ? {} : { diffId: digestOf(other) }) };
  const { results, content, top } = await openCache([{ archive, said }]);
  const error = await results.snapshot(top).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(await content.has(descriptor)).toBe(false);
  expect(results.resultsLostBy(error)).toEqual([top]);
  expect(await results.has(top)).toBe(false);
});
