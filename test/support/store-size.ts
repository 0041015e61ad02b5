import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { patiently } from './patience.ts';
import { runChecked } from './run-process.ts';

/**
 * Returns the disk usage of a store in bytes, once its trash is empty. The store is still being synced to the
 * disk after a build: what `du` has listed may have another name when it looks at it, which makes it fail, and look again.
 */
export async function storeSize(store: string): Promise<number> {
  const trash = join(store, 'trash');
  const thrownAway = (): readonly string[] => (existsSync(trash) ? readdirSync(trash) : []);
  return await vi.waitFor(async () => {
    expect(thrownAway()).toEqual([]);
    return Number((await runChecked('du', ['-s', '--block-size=1', store])).split('\t')[0]);
  }, patiently);
}
