import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLayerPreparation, type LayerConsumer } from './layer-preparation.ts';
import type { PendingLayer } from './pending-layer.ts';

const bytes = (async function* (): AsyncGenerator<Uint8Array> {})();
const pending = (): PendingLayer => ({ layer: Promise.resolve(undefined), bytes });
const { signal: never } = new AbortController();

/** Exporters that note what they begin and end; each takes a while, and fails if it is to. */
function exportersNoting(events: string[], { fail = false } = {}): LayerConsumer[] {
  return ['a', 'b'].map((name) => ({
    async prepare(layer, epoch) {
      events.push(`${name} ${layer.bytes === undefined ? 'reads the layer' : 'follows'} ${epoch}`);
      await sleep(5);
      events.push(`${name} ends`);
      if (fail) throw new Error('failed');
    },
  }));
}

test('each layer goes to each output, one after the other, and the first one alone has the bytes', async () => {
  const events: string[] = [];
  const preparation = createLayerPreparation(exportersNoting(events), { epoch: 7, signal: never });
  expect(preparation.isWanted).toBe(true);
  preparation.add(pending());
  preparation.add(pending());
  await preparation.settled();
  const one = ['a follows 7', 'a ends', 'b reads the layer 7', 'b ends'];
  expect(events).toEqual([...one, ...one]);
});

test('what fails hinders nothing', async () => {
  const events: string[] = [];
  const preparation = createLayerPreparation(exportersNoting(events, { fail: true }), {
    epoch: undefined,
    signal: never,
  });
  preparation.add(pending());
  await preparation.settled();
  expect(events.filter((event) => event.endsWith('ends'))).toEqual(['a ends', 'b ends']);
});

test('nothing begins after the build has ended', async () => {
  const events: string[] = [];
  const end = new AbortController();
  const preparation = createLayerPreparation(exportersNoting(events), { epoch: 0, signal: end.signal });
  preparation.add(pending());
  preparation.add(pending());
  await sleep(1);
  end.abort();
  await preparation.settled();
  expect(events).toEqual(['a follows 0', 'a ends']);
});

test('without outputs that have something to do there is nothing to wait for', async () => {
  const preparation = createLayerPreparation([{}], {
    epoch: undefined,
    signal: never,
  });
  preparation.add(pending());
  await preparation.settled();
  expect(preparation.isWanted).toBe(false);
});

test.each<[what: string, compresses: (string | undefined)[], needs: boolean]>([
  ['one that compresses them', ['gzip'], false],
  ['two that compress them in the same way', ['gzip', 'gzip'], false],
  ['two that compress them in two ways', ['gzip', 'gzip-1'], true],
  ['one that does not, beside one that does', ['gzip', undefined], true],
  ['none', [], true],
])('other bytes of a layer than those that come are needed, or not, by outputs: %s', (_, compresses, needs) => {
  const exporters = compresses.map((each) => ({
    compresses: each,
  }));
  const preparation = createLayerPreparation(exporters, { epoch: undefined, signal: never });
  expect(preparation.needsBytes).toBe(needs);
});

test('it is idle until there is something to do, and again when that is done', async () => {
  const preparation = createLayerPreparation(exportersNoting([]), { epoch: 0, signal: never });
  const idle = [preparation.isIdle()];
  const added = preparation.add(pending());
  idle.push(preparation.isIdle());
  await added;
  expect([...idle, preparation.isIdle()]).toEqual([true, false, true]);
});
