import { setTimeout } from 'node:timers/promises';
import { isIndexCurrent, isIndexOlder, writeIndex } from '@tbuild/content';
import { errnoName } from '@tbuild/errors';
import { listDirectory, type StoreLayout } from '@tbuild/store';
import type { Damage } from './damage.ts';

/** How often and after how many milliseconds to look again: another process writes an image name, then the index. */
const [LOOKS, PAUSE] = [20, 50];

/**
 * Yields the index of the image layout when it does not list the images that have names. Writes it where a command was killed
 * before it could.
 */
export async function* checkIndex(store: StoreLayout, signal: AbortSignal): AsyncGenerator<Damage, void> {
  if (listDirectory(store.refs).length === 0) return;
  for (let look = 0; look < LOOKS; look++) {
    if (isIndexCurrent(store)) return;
    await setTimeout(PAUSE, undefined, { signal });
  }
  if (isIndexOlder(store) && wroteIndex(store)) return;
  yield { kind: 'index', message: 'The index of the image layout does not list the images that have names' };
}

/** Returns false in a store that this user can only read. */
function wroteIndex(store: StoreLayout): boolean {
  try {
    writeIndex(store);
    return true;
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errnoName(error) ?? '')) throw error;
    return false;
  }
}
