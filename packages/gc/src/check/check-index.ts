import { setTimeout } from 'node:timers/promises';
import { isIndexCurrent } from '@tbuild/content';
import { listDirectory, type StoreLayout } from '@tbuild/store';
import type { Damage } from './damage.ts';

/** How often and after how many milliseconds to look again: another process writes an image name, then the index. */
const [LOOKS, PAUSE] = [20, 50];

/** Yields the index of the image layout when it does not list the images that have names. */
export async function* checkIndex(store: StoreLayout, signal: AbortSignal): AsyncGenerator<Damage, void> {
  if (listDirectory(store.refs).length === 0) return;
  for (let look = 0; look < LOOKS; look++) {
    if (isIndexCurrent(store)) return;
    await setTimeout(PAUSE, undefined, { signal });
  }
  yield { kind: 'index', message: 'The index of the image layout does not list the images that have names' };
}
