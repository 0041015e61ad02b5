import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createFileHasher, openDirectory, selectFiles } from '@tbuild/context';
import type { ComingLayer } from '@tbuild/exporter';
import { atOnce } from '@tbuild/linux';
import type { PlacedCopy } from '../copy/write-layer.ts';
import { writeAside } from './place-copy.ts';

const source = mkdtempSync(join(tmpdir(), 'place-copy-'));
afterAll(() => rmSync(source, { recursive: true }));
writeFileSync(join(source, 'small'), '');
for (let file = 0; file < 1000; file++) writeFileSync(join(source, `many-${file}`), '');

function copyOf(pattern: string, isSettled = true): PlacedCopy {
  const sources = atOnce(selectFiles(openDirectory(source), { sources: [pattern] }));
  const options = { now: 0, hasher: createFileHasher() };
  return { sources, target: { destination: '/', keepOwner: false }, options, lowers: [], flavour: 'user', isSettled };
}

/** What a layer process that is busy or not was asked, and what was prepared. */
function asideOf(coming: Required<ComingLayer> | undefined) {
  const [asked, added]: [AbortSignal[], ComingLayer[]] = [[], []];
  const [step, build] = [new AbortController(), new AbortController()];
  const start = (_: PlacedCopy, signal: AbortSignal) => (asked.push(signal), coming);
  const preparation = {
    isWanted: true,
    signal: build.signal,
    add: (each: ComingLayer) => void added.push(each),
    settled: async () => {},
  };
  const env = { worker: { layerProcess: { start, stop: async () => {} } }, preparation, signal: step.signal };
  return { env, asked, added, step, build };
}

const coming = { layer: Promise.resolve(undefined), bytes: (async function* (): AsyncGenerator<Uint8Array> {})() };

test('the layer of a large copy is prepared while another process writes it', () => {
  const { env, added } = asideOf(coming);
  expect(writeAside(copyOf('many-*'), env)).toBe(coming.layer);
  expect(added).toEqual([coming]);
});

test.each(['step', 'build'] as const)('it ends with the %s', (which) => {
  const aside = asideOf(coming);
  writeAside(copyOf('many-*'), aside.env);
  aside[which].abort();
  expect(aside.asked.map(({ aborted }) => aborted)).toEqual([true]);
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
