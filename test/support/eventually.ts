import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from './patience.ts';

/** Waits until something is so, or for so long that it will not be: what is expected afterwards tells. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + patiently.timeout; Date.now() < end && !isSo();) await sleep(25);
}
