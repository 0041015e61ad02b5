import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLayerPreparation, type LayerConsumer } from './layer-preparation.ts';
import type { PendingLayer } from './pending-layer.ts';

const bytes = (async function* (): AsyncGenerator<Uint8Array> {})();
const pending = (): PendingLayer => ({ layer: Promise.resolve(undefined), bytes });
const { signal: never } = new AbortController();

/** Creates exporters that record when they start and end. Each takes a while, and fails on request. */
function exportersNoting(events: string[], { fail = false } = {}): LayerConsumer[] {
  return ['a', 'b'].map((name) => ({
    async prepare(layer) {
      events.push(`${name} ${layer.bytes === undefined ? 'reads the layer' : 'follows'}`);
      await sleep(5);
      events.push(`${name} ends`);
      if (fail) throw new Error('failed');
    },
  }));
}

test('Outputs prepare each layer in turn, and only the first output gets its bytes', async () => {
  const events: string[] = [];
  const preparation = createLayerPreparation(exportersNoting(events), { signal: never });
  expect(preparation.isWanted).toBe(true);
  preparation.add(pending());
  preparation.add(pending());
  await preparation.settled();
  const one = ['a follows', 'a ends', 'b reads the layer', 'b ends'];
  expect(events).toEqual([...one, ...one]);
});

test('A failing output does not stop the others', async () => {
  const events: string[] = [];
  const preparation = createLayerPreparation(exportersNoting(events, { fail: true }), { signal: never });
  preparation.add(pending());
  await preparation.settled();
  expect(events.filter((event) => event.endsWith('ends'))).toEqual(['a ends', 'b ends']);
});

test('No output starts after the build has ended', async () => {
  const events: string[] = [];
  const end = new AbortController();
  const preparation = createLayerPreparation(exportersNoting(events), { signal: end.signal });
  preparation.add(pending());
  preparation.add(pending());
  await sleep(1);
  end.abort();
  await preparation.settled();
  expect(events).toEqual(['a follows', 'a ends']);
});

test('Without outputs that prepare layers there is nothing to wait for', async () => {
  const preparation = createLayerPreparation([{}], { signal: never });
  preparation.add(pending());
  await preparation.settled();
  expect(preparation.isWanted).toBe(false);
});

test.each<[what: string, compresses: (string | undefined)[], needs: boolean]>([
  ['one output that compresses', ['gzip'], false],
  ['two outputs that compress in the same way', ['gzip', 'gzip'], false],
  ['two outputs that compress in different ways', ['gzip', 'gzip-1'], true],
  ['one output that compresses and one that does not', ['gzip', undefined], true],
  ['none', [], true],
])('Whether outputs need the uncompressed bytes of a layer again: %s', (_, compresses, needs) => {
  const exporters = compresses.map((each) => ({
    compresses: each,
  }));
  const preparation = createLayerPreparation(exporters, { signal: never });
  expect(preparation.needsBytes).toBe(needs);
});

test('Preparation is idle before and after its work', async () => {
  const preparation = createLayerPreparation(exportersNoting([]), { signal: never });
  const idle = [preparation.isIdle()];
  const added = preparation.add(pending());
  idle.push(preparation.isIdle());
  await added;
  expect([...idle, preparation.isIdle()]).toEqual([true, false, true]);
});
