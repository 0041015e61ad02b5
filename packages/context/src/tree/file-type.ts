import { constants } from 'node:fs';

/** The type of an entry of a tree. */
export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character' | 'block';

const TYPES: Record<number, FileType> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'directory',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
  [constants.S_IFCHR]: 'character',
  [constants.S_IFBLK]: 'block',
};

/** Returns the type of an entry, from the type bits of its mode. */
export function typeOf(stats: { readonly mode: number }): FileType {
  const type = TYPES[stats.mode & constants.S_IFMT];
  if (type === undefined) throw new Error(`Mode ${stats.mode.toString(8)} has no known file type`);
  return type;
}
