import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { runChecked } from './run-process.ts';

/** What a store takes on disk in bytes, once what builds have thrown away is gone. */
export async function storeSize(store: string): Promise<number> {
  const trash = join(store, 'trash');
  const thrownAway = (): readonly string[] => (existsSync(trash) ? readdirSync(trash) : []);
  await vi.waitFor(() => expect(thrownAway()).toEqual([]), { timeout: 10_000, interval: 20 });
  return Number((await runChecked('du', ['-s', '--block-size=1', store])).split('\t')[0]);
}
