import { lstatSync, type Stats } from 'node:fs';
import { listDirectory } from './list-directory.ts';

/** The space that a part of the store takes on disk. */
export interface Usage {
  /** Bytes of files and directories with one name. */
  readonly own: number;
  /** Files with several names, which may be in other parts. */
  readonly linked: readonly LinkedFile[];
}

/** A file with several names. Its blocks become free when the last one is removed. */
export interface LinkedFile {
  readonly inode: number;
  readonly bytes: number;
  /** The number of names that have not been removed. */
  names: number;
  counted: boolean;
}

/** Measures the blocks that parts of one store take on disk. Recognises a file with several names in all parts. */
export interface DiskUsage {
  measure(path: string): Usage;
  /** Returns the bytes of a directory without its entries, or 0 when it does not exist. */
  measureAlone(path: string): number;
}

export function createDiskUsage(): DiskUsage {
  const files = new Map<string, LinkedFile>();
  const linkedFile = ({ dev, ino, nlink, blocks }: Stats): LinkedFile => {
    const id = `${dev}:${ino}`;
    const known = files.get(id);
    if (known !== undefined) return known;
    const file = { inode: ino, bytes: blocks * BLOCK, names: nlink, counted: false };
    files.set(id, file);
    return file;
  };
  const add = (path: string, sum: { own: number; linked: LinkedFile[] }): void => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) {
      sum.own += stats.blocks * BLOCK;
      for (const name of listDirectory(path)) add(`${path}/${name}`, sum);
    } else if (stats.nlink === 1) sum.own += stats.blocks * BLOCK;
    else sum.linked.push(linkedFile(stats));
  };
  return {
    measure(path) {
      const sum = { own: 0, linked: [] };
      add(path, sum);
      return sum;
    },
    measureAlone: (path) => (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK,
  };
}

const BLOCK = 512;

/** Returns the usage of several parts as one. */
export function sumOf(parts: readonly Usage[]): Usage {
  return { own: parts.reduce((all, { own }) => all + own, 0), linked: parts.flatMap(({ linked }) => linked) };
}

/** Returns the bytes of a part. A file with several names counts once. */
export function countOnce({ own, linked }: Usage): number {
  let bytes = own;
  for (const file of linked) {
    if (!file.counted) bytes += file.bytes;
    file.counted = true;
  }
  return bytes;
}

/** Returns the bytes that removing a part frees. Call it once for each removed part. */
export function freedBy({ own, linked }: Usage): number {
  let bytes = own;
  for (const file of linked) {
    file.names--;
    if (file.names === 0) bytes += file.bytes;
  }
  return bytes;
}
