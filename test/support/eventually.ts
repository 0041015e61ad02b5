import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something is so, or for so long that it will not be: what is expected afterwards tells. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600 && !isSo(); tries++) await sleep(25);
}
