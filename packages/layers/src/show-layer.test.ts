import { digestOf } from '@tbuild/oci';
import type { ProgressEvent } from '@tbuild/progress';
import { expect, test } from 'vitest';
import { showLayer, type ShownLayer } from './show-layer.ts';

const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf('layer'), size: 10 };

/** What is told of a layer: bytes of what is fetched, `begun` and `done` of the extraction. */
function told(isStored: boolean, work: (shown: ShownLayer) => void): readonly (number | string)[] {
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

test('a layer that is extracted while it comes is extracted when all of it is there; not each chunk is told', () => {
  const seen = told(false, (shown) => {
    for (const bytes of [1, 2, 3, 10]) shown.onExtracted(bytes);
    shown.done();
  });
  expect(seen).toEqual([1, 3, 10, 'begun', 'done']);
});

test('a layer that is fetched first is extracted only once that is begun, and told of no second time', () => {
  const fetched = told(false, (shown) => shown.onFetched(10));
  expect(fetched).toEqual([10]);
  const seen = told(false, (shown) => {
    shown.onFetched(10);
    for (const bytes of [1, 10]) shown.onExtracted(bytes);
    shown.done();
  });
  expect(seen).toEqual([10, 'begun', 'done']);
});

test('of a layer that is stored only the extraction is told, also of an empty one', () => {
  expect(told(true, (shown) => [shown.onExtracted(1), shown.done()])).toEqual(['begun', 'done']);
  expect(told(true, (shown) => shown.done())).toEqual(['begun', 'done']);
});
