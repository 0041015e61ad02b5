import { digestOf } from '@tbuild/oci';
import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { showLayer, type ShownLayer } from './show-layer.ts';

const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf('layer'), size: 10 };

/** Collects the events of a layer: the bytes fetched, then `begun` and `done` of the extraction. */
function reported(isStored: boolean, work: (shown: ShownLayer) => void): readonly (number | string)[] {
  const events: ProgressEvent[] = [];
  let time = 0;
  const progress = { emit: (event: ProgressEvent): void => void events.push(event) };
  work(showLayer(layer, { step: 'FROM', isStored, progress, now: () => (time += 60) }));
  return events.flatMap((event): readonly (number | string)[] => {
    if (event.type !== 'transfer') return [];
    if (event.item === layer.digest) return [event.current];
    return [event.done === true ? 'done' : 'begun'];
  });
}

test('A layer extracted while it is fetched shows the extraction once all bytes are there, without an event per chunk', () => {
  const seen = reported(false, (shown) => {
    for (const bytes of [1, 2, 3, 10]) shown.onExtracted(bytes);
    shown.done();
  });
  expect(seen).toEqual([1, 3, 10, 'begun', 'done']);
});

test('A stored layer shows only its extraction, even if it is empty', () => {
  expect(reported(true, (shown) => [shown.onExtracted(1), shown.done()])).toEqual(['begun', 'done']);
  expect(reported(true, (shown) => shown.done())).toEqual(['begun', 'done']);
});
