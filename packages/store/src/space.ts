import { closeSync, constants, openSync, statfsSync, writeFileSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import type { StoreLayout } from './layout.ts';

/** The room of a file system, in bytes. */
export interface Space {
  /** What an ordinary user may still write. */
  readonly free: number;
  /** What all of its files take. */
  readonly used: number;
  readonly total: number;
}

/** Returns the room of the file system that the store is on. */
export function spaceOf({ root }: Pick<StoreLayout, 'root'>): Space {
  const { bavail, bfree, blocks, bsize } = statfsSync(root);
  return { free: bavail * bsize, used: (blocks - bfree) * bsize, total: blocks * bsize };
}

/** In bytes. What fails for lack of space leaves no more than this. */
const LITTLE = 1024 * 1024;

/** What fails for lack of inodes leaves no more than this. */
const FEW = 16;

/** Returns whether the file system of the store, or its quota, and not another one, is the one that is full. */
export function isFull({ root }: Pick<StoreLayout, 'root'>): boolean {
  const { bavail, blocks, bsize, files, ffree } = statfsSync(root);
  // Some file systems have no fixed number of blocks or inodes, and report none.
  return (blocks > 0 && bavail * bsize < LITTLE) || (files > 0 && ffree < FEW) || refusesBytes(root);
}

/** What the kernel calls O_TMPFILE: a file without a name. Not every file system has them. */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY;

function refusesBytes(root: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(root, NAMELESS | constants.O_RDWR, 0o600);
    writeFileSync(fd, Buffer.alloc(LITTLE));
    return false;
  } catch (error) {
    return ['EDQUOT', 'ENOSPC'].includes(errnoName(error) ?? '');
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
