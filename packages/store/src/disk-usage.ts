import { lstatSync, type Stats } from 'node:fs';
import { listDirectory } from './list-directory.ts';

/** What a part of the store holds on disk. */
export interface Usage {
  /** Bytes of blocks that this part alone holds. */
  readonly own: number;
  /** Files with several names, some perhaps in other parts. */
  readonly linked: readonly LinkedFile[];
}

/** A file with several names: its blocks are free when the last of them goes. */
export interface LinkedFile {
  readonly bytes: number;
  /** Names that have not been counted or removed yet. */
  names: number;
  counted: boolean;
}

/** Measures parts of one store: blocks on disk, a file with several names known as one file everywhere. */
export interface DiskUsage {
  measure(path: string): Usage;
  /** Bytes of a directory without what it holds; 0 when it is not there. */
  measureAlone(path: string): number;
}

export function createDiskUsage(): DiskUsage {
  const files = new Map<string, LinkedFile>();
  const linkedFile = ({ dev, ino, nlink, blocks }: Stats): LinkedFile => {
    const id = `${dev}:${ino}`;
    const known = files.get(id);
    if (known !== undefined) return known;
    const file = { bytes: blocks * BLOCK, names: nlink, counted: false };
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

/** Several parts as one. */
export function sumOf(parts: readonly Usage[]): Usage {
  return { own: parts.reduce((all, { own }) => all + own, 0), linked: parts.flatMap(({ linked }) => linked) };
}

/** Bytes of a part, of files with several names those that were not counted before. */
export function countOnce({ own, linked }: Usage): number {
  let bytes = own;
  for (const file of linked) {
    if (!file.counted) bytes += file.bytes;
    file.counted = true;
  }
  return bytes;
}

/** Bytes that come free when a part is removed; call it once for each part that is. */
export function freedBy({ own, linked }: Usage): number {
  let bytes = own;
  for (const file of linked) {
    file.names--;
    if (file.names === 0) bytes += file.bytes;
  }
  return bytes;
}
