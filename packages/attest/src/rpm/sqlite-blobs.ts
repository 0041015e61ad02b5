/** Types of leaf and interior table pages ("Database File Format", section 1.6). */
const LEAF = 0x0d;
const INTERIOR = 0x05;

interface Database {
  readonly bytes: Buffer;
  readonly pageSize: number;
  /** Size of a page without the bytes reserved at its end. */
  readonly usable: number;
}

type Value = string | number | Buffer | undefined;

/**
 * Yields the blobs of a table in an SQLite database, in row order: of each row, the first blob. Ignores a write-ahead
 * log beside the file.
 * @throws RangeError for a damaged file.
 */
export function* sqliteBlobs(bytes: Buffer, table: string): Generator<Buffer> {
  const pageSize = bytes.readUInt16BE(16);
  const size = pageSize === 1 ? 65536 : pageSize;
  const database = { bytes, pageSize: size, usable: size - bytes.readUInt8(20) };
  for (const [type, name, , root] of rows(database, 1)) {
    if (type !== 'table' || name !== table || typeof root !== 'number') continue;
    for (const values of rows(database, root)) {
      const blob = values.find((value) => Buffer.isBuffer(value));
      if (blob !== undefined) yield blob;
    }
  }
}

/** Yields the rows of the b-tree whose root is the given page. Page numbers start at 1. */
function* rows(database: Database, root: number, seen: Set<number> = new Set()): Generator<readonly Value[]> {
  if (seen.has(root)) throw new RangeError('A page of the SQLite database is referenced twice');
  seen.add(root);
  const { bytes, pageSize } = database;
  const page = (root - 1) * pageSize;
  // The first page starts with the file header.
  const header = root === 1 ? page + 100 : page;
  const type = bytes.readUInt8(header);
  if (type !== LEAF && type !== INTERIOR)
    throw new RangeError(`Page ${root} of the SQLite database is not a table page`);
  const cells = header + (type === LEAF ? 8 : 12);
  for (let at = 0; at < bytes.readUInt16BE(header + 3); at++) {
    const cell = page + bytes.readUInt16BE(cells + 2 * at);
    if (type === LEAF) yield readRecord(readPayload(database, cell));
    else yield* rows(database, bytes.readUInt32BE(cell), seen);
  }
  if (type === INTERIOR) yield* rows(database, bytes.readUInt32BE(header + 8), seen);
}

/** Reads the payload of a row: a part in its page, the rest in overflow pages (section 1.6, "local payload"). */
function readPayload({ bytes, pageSize, usable }: Database, cell: number): Buffer {
  const [length, afterLength] = readVarint(bytes, cell);
  if (length > bytes.length) throw new RangeError('A row of the SQLite database is longer than the file');
  const [, start] = readVarint(bytes, afterLength);
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (usable - 4));
  const local = length <= most ? length : fitting <= most ? fitting : least;
  const parts = [slice(bytes, start, local)];
  let left = length - local;
  for (let next = start + local; left > 0;) {
    const overflow = (bytes.readUInt32BE(next) - 1) * pageSize;
    const part = Math.min(left, usable - 4);
    parts.push(slice(bytes, overflow + 4, part));
    left -= part;
    next = overflow;
  }
  return Buffer.concat(parts);
}

/** "Record Format", section 2.1. */
function readRecord(payload: Buffer): readonly Value[] {
  const [headerSize, first] = readVarint(payload, 0);
  const values: Value[] = [];
  let at = headerSize;
  for (let header = first; header < headerSize;) {
    const [type, next] = readVarint(payload, header);
    const size = sizeOf(type);
    const body = slice(payload, at, size);
    values.push(valueOf(type, body));
    header = next;
    at += size;
  }
  return values;
}

const INTEGER_SIZES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function sizeOf(type: number): number {
  return type < 12 ? (INTEGER_SIZES[type] ?? 0) : Math.floor((type - 12) / 2);
}

function valueOf(type: number, body: Buffer): Value {
  if (type >= 12) return type % 2 === 0 ? body : body.toString('utf8');
  if (type === 8 || type === 9) return type - 8;
  return type > 0 && type < 6 ? body.readIntBE(0, body.length) : undefined;
}

/**
 * Reads a varint: seven bits a byte, where the highest bit says that another byte follows. The ninth byte has eight
 * bits.
 */
function readVarint(bytes: Buffer, start: number): readonly [value: number, next: number] {
  let value = 0;
  for (let at = start; at < start + 8; at++) {
    const byte = bytes.readUInt8(at);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + 1];
  }
  return [value * 256 + bytes.readUInt8(start + 8), start + 9];
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start < 0 || start + length > bytes.length) throw new RangeError('The SQLite database is truncated');
  return bytes.subarray(start, start + length);
}
