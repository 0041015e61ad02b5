import type { FileStat } from './file-tree.ts';

/** Drops methods and the four `Date` objects of Node's stats: a large tree takes half the memory without them. */
export function slimStat({ mode, uid, gid, size, ino, dev, nlink, rdev, mtimeMs, ctimeMs }: FileStat): FileStat {
  return { mode, uid, gid, size, ino, dev, nlink, rdev, mtimeMs, ctimeMs };
}
