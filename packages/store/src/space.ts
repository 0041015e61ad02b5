import { statfsSync } from 'node:fs';
import type { StoreLayout } from './layout.ts';

/** Returns the bytes that an ordinary user may still write to the file system of the store, and its size. */
export function spaceOf({ root }: Pick<StoreLayout, 'root'>): { readonly free: number; readonly total: number } {
  const { bavail, blocks, bsize } = statfsSync(root);
  return { free: bavail * bsize, total: blocks * bsize };
}

/** In bytes. What fails for lack of space leaves no more than this. */
const LITTLE = 1024 * 1024;

/** Returns whether the file system of the store, and not another one, is the one that is full. */
export function isFull(store: Pick<StoreLayout, 'root'>): boolean {
  return spaceOf(store).free < LITTLE;
}
