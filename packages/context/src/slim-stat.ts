import type { FileStat } from './file-tree.ts';

/** Without the four dates that Node makes for each entry, a large tree takes half the memory; nor has it methods. */
export function slimStat({ mode, uid, gid, size, ino, dev, nlink, rdev, mtimeMs, ctimeMs }: FileStat): FileStat {
  return { mode, uid, gid, size, ino, dev, nlink, rdev, mtimeMs, ctimeMs };
}
