import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import type { CopyOp } from '@tbuild/graph';
import { digestOf } from '@tbuild/oci';
import { afterAll, expect, test } from 'vitest';
import { openCopyMemory, type RememberedCopy } from './copy-memory.ts';
import { beginEarlyLayer } from './early-layer.ts';
import { asideOf } from './test-aside.ts';

const root = mkdtempSync(join(tmpdir(), 'early-layer-'));
afterAll(() => rmSync(root, { recursive: true }));
const source = join(root, 'source');
mkdirSync(source);
for (const [name, size] of Object.entries({ small: 1, large: 1 << 24 }))
  writeFileSync(join(source, name), Buffer.alloc(size));

function copyOf(name: string, changes: { owner?: 'keep'; unpack?: true } = {}): RememberedCopy {
  const selection = {
    from: { kind: 'context', name: 'context' },
    sources: [name],
    unpack: false,
    keepOwner: false,
  } as const;
  const op: CopyOp = { kind: 'copy', destination: '/', parents: false, exclude: [], ...selection };
  const sources = runSync(selectFiles(openDirectory(source), { sources: [name] }));
  const input = { select: async () => sources, hasher: createFileHasher(), owner: changes.owner ?? 'root' } as const;
  return { op, selection: { ...selection, unpack: changes.unpack ?? false }, input, base: undefined };
}

const coming = { layer: Promise.resolve(undefined), bytes: (async function* (): AsyncGenerator<Uint8Array> {})() };
let count = 0;

/** A build in a new store, which nothing is known of. */
function build({ isLayered = true, hasImport = false } = {}) {
  const { env, asked } = asideOf(join(root, `store-${count++}`), coming);
  const context = {
    ...env,
    worker: { ...env.worker, flavour: 'user' as const },
    layered: new Set(isLayered ? [env.step.id] : []),
    cacheFrom: hasImport ? [{ type: 'registry' as const, reference: 'cache' }] : [],
    results: { snapshot: async () => ({ directories: [] }) },
  };
  return { context, asked };
}

test('the layer of a large copy that was never made is begun before its files are keyed, until it is given up', async () => {
  const { context, asked } = build();
  const early = beginEarlyLayer(copyOf('large'), context);
  expect(await early.coming()).toBe(coming);
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([false]);
  early.giveUp();
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([true]);
});

test.each([
  ['is small', copyOf('small'), {}],
  ['unpacks archives', copyOf('large', { unpack: true }), {}],
  ['takes files with owners of their own', copyOf('large', { owner: 'keep' }), {}],
  ['is in no image', copyOf('large'), { isLayered: false }],
  ['may be in an imported cache', copyOf('large'), { hasImport: true }],
])('not of one that %s', async (_, copy, options) => {
  const { context, asked } = build(options);
  expect(await beginEarlyLayer(copy, context).coming()).toBeUndefined();
  expect(asked).toEqual([]);
});

test('nor of one that was done before on the same base', async () => {
  const { context, asked } = build();
  const memory = await openCopyMemory(copyOf('large'), context);
  memory?.remember(digestOf('result'));
  expect(await beginEarlyLayer(copyOf('large'), context).coming()).toBeUndefined();
  expect(await beginEarlyLayer({ ...copyOf('large'), base: digestOf('other') }, context).coming()).toBe(coming);
  expect(asked.length).toBe(1);
});

test('nor when it is given up before it begins', async () => {
  const { context, asked } = build();
  const early = beginEarlyLayer(copyOf('large'), context);
  early.giveUp();
  expect(await early.coming()).toBeUndefined();
  expect(asked).toEqual([]);
});
