import { BLOCK, checksumOf, Field, paddingOf, type TarEntry } from './tar-entry.ts';

/**
 * Returns the header blocks of a member, byte for byte as Go's archive/tar writes them for containerd: the plain form
 * if it holds all values, splitting long names if possible, otherwise with an extended header before it.
 */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const split = splitName(entry.name);
  const others = records.filter(([key]) => key !== 'path').length;
  if (others === 0 && split !== undefined) return mainBlock(entry, split.suffix, split.prefix);
  const main = mainBlock(entry, entry.name, '');
  if (records.length === 0) return main;
  const data = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([extendedBlock(entry.name, data.length), data, Buffer.alloc(paddingOf(data.length)), main]);
}

type PaxRecord = readonly [key: string, value: string | Uint8Array];

const NON_ASCII = /[\u0080-\uffff]/;
const NON_ASCII_ALL = /[\u0080-\uffff]/g;

function mainBlock(entry: TarEntry, name: string, prefix: string): Buffer {
  const block = Buffer.allocUnsafe(BLOCK).fill(0);
  putText(block, Field.name, name);
  putText(block, Field.linkName, entry.linkName);
  putOctal(block, Field.mode, entry.mode);
  putOctal(block, Field.uid, entry.uid);
  putOctal(block, Field.gid, entry.gid);
  putOctal(block, Field.size, entry.size);
  putOctal(block, Field.mtime, secondsOf(entry));
  putOctal(block, Field.major, entry.major);
  putOctal(block, Field.minor, entry.minor);
  block.write(entry.type, Field.type[0], 'latin1');
  putText(block, Field.prefix, prefix);
  return seal(block);
}

/** Returns the header of the extended header, named as Go names it. */
function extendedBlock(name: string, size: number): Buffer {
  const block = Buffer.allocUnsafe(BLOCK).fill(0);
  const slash = name.lastIndexOf('/');
  const parts = [name.slice(0, slash + 1), 'PaxHeaders.0', name.slice(slash + 1)];
  const path = parts
    .join('/')
    .replace(/\/+/g, '/')
    .replace(/^\/|\/$/g, '');
  putText(block, Field.name, toAscii(path).slice(0, Field.name[1]).replace(/\/+$/, ''));
  for (const field of [Field.mode, Field.uid, Field.gid, Field.mtime]) putOctal(block, field, 0);
  putOctal(block, Field.size, size);
  block.write('x', Field.type[0], 'latin1');
  return seal(block);
}

function seal(block: Buffer): Buffer {
  block.write('ustar\x0000', Field.magic[0], 'latin1');
  const [offset] = Field.checksum;
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, offset, 'latin1');
  return block;
}

/** Returns the values that do not fit into plain fields, sorted by key. */
function paxRecords(entry: TarEntry): readonly PaxRecord[] {
  const records: PaxRecord[] = [];
  for (const [name, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${name}`, value]);
  if (!fits(entry.gid, Field.gid)) records.push(['gid', String(entry.gid)]);
  if (needsRecord(entry.linkName)) records.push(['linkpath', entry.linkName]);
  if (!fits(secondsOf(entry), Field.mtime)) records.push(['mtime', String(secondsOf(entry))]);
  if (needsRecord(entry.name)) records.push(['path', entry.name]);
  if (!fits(entry.size, Field.size)) records.push(['size', String(entry.size)]);
  if (!fits(entry.uid, Field.uid)) records.push(['uid', String(entry.uid)]);
  return records.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Returns `LENGTH KEY=VALUE\n`, where the length includes itself. */
function paxRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + String(rest.length).length;
  if (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function needsRecord(text: string): boolean {
  return text.length > Field.name[1] || NON_ASCII.test(text);
}

/** Splits a long name between the two fields of the older format. */
function splitName(name: string): { prefix: string; suffix: string } | undefined {
  if (name.length <= Field.name[1] || NON_ASCII.test(name)) return undefined;
  const end =
    name.length > Field.prefix[1] + 1 ? Field.prefix[1] + 1 : name.endsWith('/') ? name.length - 1 : name.length;
  const slash = name.slice(0, end).lastIndexOf('/');
  const suffix = name.slice(slash + 1);
  if (slash <= 0 || suffix === '' || suffix.length > Field.name[1] || slash > Field.prefix[1]) return undefined;
  return { prefix: name.slice(0, slash), suffix };
}

/** Cuts text that does not fit. A cut that ends in a slash would make old readers see a directory. */
function putText(block: Buffer, [offset, length]: Field, text: string): void {
  if (text === '') return;
  const ascii = toAscii(text);
  block.write(ascii.slice(0, length), offset, 'latin1');
  if (ascii.length > length && ascii[length - 1] === '/') {
    block[offset + ascii.slice(0, length - 1).replace(/\/+$/, '').length] = 0;
  }
}

function putOctal(block: Buffer, field: Field, value: number): void {
  const [offset, length] = field;
  let rest = fits(value, field) ? value : 0;
  for (let at = offset + length - 2; at >= offset; at--) {
    block[at] = ZERO + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

const ZERO = 0x30;

/** Numeric fields have 7 or 11 digits. */
function fits(value: number, [, length]: Field): boolean {
  return value >= 0 && value < (length === 8 ? 8 ** 7 : 8 ** 11);
}

function secondsOf(entry: TarEntry): number {
  return Math.floor(entry.mtimeMs / 1000);
}

function toAscii(text: string): string {
  return NON_ASCII.test(text) ? text.replace(NON_ASCII_ALL, '') : text;
}
