/** The member types, by their letters in the format. */
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

/** A member of an archive, without its bytes. */
export interface TarEntry {
  /** The name as the archive spells it; directories may end in a slash. */
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The number of bytes that follow; zero unless it is a file. */
  readonly size: number;
  readonly mtimeMs: number;
  /** The target of a symbolic or hard link. */
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export const BLOCK = 512;

/** The position and length of each field of a header block. */
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

/** Returns the number of bytes that pad a member to whole blocks. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Returns the sum of a header's bytes, with blanks for the checksum field. */
export function checksumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK; at++) sum += block[at] ?? 0;
  return sum;
}
