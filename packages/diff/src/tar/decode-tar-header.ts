import { archiveError } from './archive-error.ts';
import { decodeText } from './pax-records.ts';
import { BLOCK, checksumOf, Field, TarType } from './tar-entry.ts';

/** The fields of a header block, without those of extended headers. */
export interface RawHeader {
  readonly type: string;
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
}

/** Returns whether a block can be a header: its checksum is right. */
export function isTarHeader(block: Uint8Array): boolean {
  return block.length === BLOCK && parseOctal(block, Field.checksum) === checksumOf(block);
}

/** Decodes a header block. @throws TbuildError SNAPSHOT if its checksum or a number is wrong. */
export function decodeTarHeader(block: Uint8Array): RawHeader {
  if (!isTarHeader(block)) throw archiveError('Tar header has a wrong checksum');
  const magic = latin(block, Field.magic);
  const posix = magic.startsWith('ustar\0');
  const devices = magic.startsWith('ustar');
  return {
    type: latin(block, Field.type),
    name: joinName(posix ? readText(block, prefixField(block)) : '', readText(block, Field.name)),
    mode: readNumber(block, Field.mode),
    uid: readNumber(block, Field.uid),
    gid: readNumber(block, Field.gid),
    size: readNumber(block, Field.size),
    mtime: readNumber(block, Field.mtime),
    linkName: readText(block, Field.linkName),
    major: devices ? readNumber(block, Field.major) : 0,
    minor: devices ? readNumber(block, Field.minor) : 0,
  };
}

/** Types that have no bytes, whatever their size field says. */
const HEADER_ONLY: readonly string[] = [
  TarType.link,
  TarType.symlink,
  TarType.character,
  TarType.block,
  TarType.directory,
  TarType.fifo,
];

export function isHeaderOnly(type: string): boolean {
  return HEADER_ONLY.includes(type);
}

/** The variant of star stores times in the last bytes of the prefix. */
function prefixField(block: Uint8Array): Field {
  return latin(block, [508, 4]) === 'tar\0' ? [Field.prefix[0], 131] : Field.prefix;
}

function joinName(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}/${name}`;
}

function latin(block: Uint8Array, [offset, length]: Field): string {
  return Buffer.from(block.buffer, block.byteOffset + offset, length).toString('latin1');
}

function readText(block: Uint8Array, [offset, length]: Field): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return end === 0 ? '' : decodeText(end < 0 ? field : field.subarray(0, end));
}

/** Reads octal digits between blanks and NULs, or GNU's binary form, which the first bit marks. */
function readNumber(block: Uint8Array, field: Field): number {
  if (((block[field[0]] ?? 0) & 0x80) !== 0) return readBinary(block, field);
  const value = parseOctal(block, field);
  if (value === undefined) throw archiveError('Tar header has a number that is not octal');
  return value;
}

/** Returns undefined if the field has anything but octal digits between blanks and NULs. */
function parseOctal(block: Uint8Array, [offset, length]: Field): number | undefined {
  let [value, digits] = [0, false];
  for (let at = offset; at < offset + length; at++) {
    const byte = block[at] ?? 0;
    if (byte === 0x20 || byte === 0) {
      if (digits) break;
    } else if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + byte - 0x30;
      digits = true;
    } else return undefined;
  }
  return value;
}

function readBinary(block: Uint8Array, [offset, length]: Field): number {
  const first = block[offset] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = negative ? BigInt(first) - 256n : BigInt(first & 0x3f);
  for (let at = offset + 1; at < offset + length; at++) value = value * 256n + BigInt(block[at] ?? 0);
  if (BigInt.asIntN(53, value) !== value) throw archiveError('Tar header has a number that is too large');
  return Number(value);
}
