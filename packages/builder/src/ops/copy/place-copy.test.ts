import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { runSync } from '@tbuild/concurrency';
import { storeLayout } from '@tbuild/store';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalStore } from '@tbuild/content';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import { digestOf, type Layer } from '@tbuild/oci';
import type { PlacedCopy } from '@tbuild/copy';
import { createLayerVariants } from '@tbuild/layers';
import { writeAside } from './place-copy.ts';
import { asideOf as asideIn, type Wanted } from './test-aside.ts';

const root = mkdtempSync(join(tmpdir(), 'place-copy-'));
afterAll(() => rmSync(root, { recursive: true }));
const source = join(root, 'source');
mkdirSync(source);
writeFileSync(join(source, 'small'), '');
for (let file = 0; file < 1000; file++) writeFileSync(join(source, `many-${file}`), '');
for (const file of ['large-1', 'large-2']) writeFileSync(join(source, file), Buffer.alloc(1 << 24));
for (let file = 0; file < 9; file++) writeFileSync(join(source, `medium-${file}`), Buffer.alloc(1 << 22));
const asideOf = (answer: Parameters<typeof asideIn>[1], wanted?: Wanted) =>
  asideIn(join(root, 'store'), answer, wanted);
const content = createLocalStore(join(root, 'store'));
const variants = createLayerVariants(storeLayout(join(root, 'store')));

function copyOf(patterns: string | readonly string[], isSettled = true): PlacedCopy {
  const sources = runSync(selectFiles(openDirectory(source), { sources: [patterns].flat() }));
  const options = { now: 0, hasher: createFileHasher() };
  return { sources, target: { destination: '/', keepOwner: false }, options, lowers: [], flavour: 'user', isSettled };
}

const bytes = (async function* (): AsyncGenerator<Uint8Array> {})();
const coming = { layer: Promise.resolve(undefined), bytes };

test('the layer of a large copy is prepared while another process writes it', () => {
  const { env, added } = asideOf(coming);
  expect(writeAside(copyOf('many-*'), env)).toBe(coming);
  expect(added).toEqual([coming]);
});

test.each(['step', 'build'] as const)('it ends with the %s', (which) => {
  const aside = asideOf(coming);
  writeAside(copyOf('many-*'), aside.env);
  aside[which].abort();
  expect(aside.asked.map(({ signal }) => signal.aborted)).toEqual([true]);
});

test.each([
  ['a small one', copyOf('small'), coming],
  ['one whose files could change without showing it', copyOf('many-*', false), coming],
  ['one that comes while another is written', copyOf('many-*'), undefined],
  ['one whose places are not settled', undefined, coming],
])('not so %s', (_, copy, answer) => {
  const { env, added } = asideOf(answer);
  expect(writeAside(copy, env)).toBeUndefined();
  expect(added).toEqual([]);
});

describe('the bytes are not kept where outputs compress them as they come', () => {
  const layer: Layer = {
    descriptor: { mediaType: 'layer', digest: digestOf('bytes'), size: 5 },
    diffId: digestOf('bytes'),
  };
  const made = { layer: Promise.resolve(layer), bytes };

  test.each<[what: string, patterns: string | readonly string[], wanted: Wanted]>([
    ['an output needs others', 'large-*', { needsBytes: true }],
    ['another layer is being compressed', 'large-*', { needsBytes: false, isIdle: false }],
    ['steps stand on it', 'large-*', { needsBytes: false, isTopmost: false }],
    ['the next copy could take small files from them', ['medium-*', 'large-*'], { needsBytes: false }],
  ])('unless %s', (_, patterns, wanted) => {
    const { env, asked } = asideOf(made, wanted);
    expect(writeAside(copyOf(patterns), env)).toBe(made);
    expect(asked.map(({ keep }) => keep)).toEqual([true]);
  });

  test('unless small files can be taken from an earlier layer', () => {
    const { env, asked } = asideOf(made, { needsBytes: false });
    writeAside({ ...copyOf('large-*'), earlier: { digest: digestOf('earlier'), changed: new Set() } }, env);
    expect(asked.map(({ keep }) => keep)).toEqual([true]);
  });

  test('and the layer is there when it was compressed', async () => {
    const prepare = async (): Promise<void> => {
      const blob = await content.write(Readable.from([Buffer.from('compressed')]));
      variants.set(layer.diffId, 'gzip', { mediaType: 'layer+gzip', ...blob });
    };
    const { env, asked } = asideOf(made, { needsBytes: false, prepare });
    const aside = writeAside(copyOf('large-*'), env);
    expect(asked.map(({ keep }) => keep)).toEqual([false]);
    expect(await aside?.layer).toEqual(layer);
  });

  test('and there is none when it was not', async () => {
    const other = { ...layer, diffId: digestOf('other') };
    const { env } = asideOf({ ...made, layer: Promise.resolve(other) }, { needsBytes: false });
    expect(await writeAside(copyOf('large-*'), env)?.layer).toBeUndefined();
  });
});
