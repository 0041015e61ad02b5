import { resultId, stepKey } from '@tbuild/graph';
import { digestOf, MediaType, type Layer } from '@tbuild/oci';
import { expect, test } from 'vitest';
import type { CachedStep } from './cached-step.ts';
import { encodeInlineCache, fitInlineCache } from './index.ts';

const layer = (name: string): Layer => ({
  diffId: digestOf(name),
  descriptor: { mediaType: MediaType.layer, digest: digestOf(name), size: 1 },
});
interface Made {
  readonly layer?: Layer;
  readonly result?: string;
  readonly parent?: string;
}
const step = (name: string, { layer: own, result = name, parent }: Made = {}): CachedStep => ({
  record: {
    key: stepKey(digestOf(name)),
    result: resultId(digestOf(result)),
    createdAt: 5000,
    ...(parent === undefined ? {} : { parent: resultId(digestOf(parent)) }),
  },
  contents: {},
  ...(own === undefined ? {} : { layer: own }),
});
const [kept, lost, top] = [layer('kept'), layer('lost'), layer('top')];
const text = encodeInlineCache({
  steps: [
    step('copy', { layer: kept }),
    step('rewritten', { layer: lost, parent: 'copy' }),
    step('above', { layer: top, parent: 'rewritten' }),
    step('run', { result: 'random' }),
    step('after run', { parent: 'random' }),
    step('of another platform'),
  ],
  mounts: [],
});
const read = (inline: string) => JSON.parse(Buffer.from(inline, 'base64').toString());

test('an inline cache has no time later than SOURCE_DATE_EPOCH', () => {
  const image = { diffIds: [kept.diffId, lost.diffId, top.diffId], isRewritten: false };
  const { steps } = read(fitInlineCache(text, { ...image, latest: 3000 }));
  expect(steps).toEqual(read(text).steps.map((one: object) => ({ ...one, createdAt: 3000 })));
  expect(read(fitInlineCache(text, { ...image, latest: 9000 }))).toEqual(read(text));
});

test('an inline cache of an image with rewritten times has only steps whose layers are left, and names no random result', () => {
  const diffIds = [kept.diffId, digestOf('new'), top.diffId];
  const document = read(fitInlineCache(text, { diffIds, latest: 3000, isRewritten: true }));
  const keys = document.steps.map(({ key }: { key: string }) => key);
  expect(keys.toSorted()).toEqual([digestOf('copy'), digestOf('of another platform')].toSorted());
  expect(document.diffIds).toEqual([kept.diffId]);
  expect(document.steps.find(({ key }: { key: string }) => key === digestOf('copy')).layer).toBe(0);
});
