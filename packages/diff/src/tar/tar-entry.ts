/** What kind of thing a header describes, by the letter that the format gives it. */
export const TarType = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

export type TarType = (typeof TarType)[keyof typeof TarType];

/** One member of an archive, without its bytes. */
export interface TarEntry {
  /** As in the archive; directories may end in a slash. */
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** How many bytes follow; zero for all but files. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Target of a symbolic or hard link. */
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export const BLOCK = 512;

/** Where each field of a header block begins, and how long it is. */
export const Field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const;

export type Field = readonly [offset: number, length: number];

/** The bytes that fill a member up to whole blocks. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The sum of a header's bytes, its checksum field taken as blanks. */
export function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}
