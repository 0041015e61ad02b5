import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from './patience.ts';

/** Waits until a condition holds or a long time has passed; the assertion after it reports a failure. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + patiently.timeout; Date.now() < end && !isSo();) await sleep(25);
}
