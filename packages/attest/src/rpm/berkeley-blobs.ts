const HASH_PAGES: ReadonlySet<number> = new Set([2, 13]);
const OVERFLOW_PAGE = 7;
const OFF_PAGE = 3;
const HEADER = 26;

/** A Berkeley DB file, in the byte order of the machine that wrote it. */
interface Database {
  readonly bytes: Buffer;
  readonly pageSize: number;
  u16(offset: number): number;
  u32(offset: number): number;
}

/**
 * Yields the values of a Berkeley DB hash (`Packages` of old rpm versions) that do not fit in a page; rpm headers never
 * do. An item on a hash page points to a chain of overflow pages with the value.
 * @throws RangeError for a damaged file.
 */
export function* berkeleyBlobs(bytes: Buffer): Generator<Buffer> {
  const database = openDatabase(bytes);
  const { pageSize, u16, u32 } = database;
  for (let page = pageSize; page + HEADER <= bytes.length; page += pageSize) {
    if (!HASH_PAGES.has(bytes.readUInt8(page + 25))) continue;
    // Keys and values alternate.
    for (let item = 1; item < u16(page + 20); item += 2) {
      const at = page + u16(page + HEADER + 2 * item);
      if (bytes.readUInt8(at) === OFF_PAGE) yield readChain(database, u32(at + 4), u32(at + 8));
    }
  }
}

/** Magic number of a hash database. */
const MAGIC = 0x061561;

/** Reports whether a file is a Berkeley DB hash. */
export function isBerkeleyHash(bytes: Buffer): boolean {
  return bytes.length >= 72 && (bytes.readUInt32LE(12) === MAGIC || bytes.readUInt32BE(12) === MAGIC);
}

function openDatabase(bytes: Buffer): Database {
  const little = bytes.readUInt32LE(12) === MAGIC;
  const u16 = (offset: number): number => (little ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset));
  const u32 = (offset: number): number => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  const pageSize = u32(20);
  if (pageSize < 512) throw new RangeError('The page size of the Berkeley DB is invalid');
  return { bytes, pageSize, u16, u32 };
}

function readChain({ bytes, pageSize, u16, u32 }: Database, first: number, length: number): Buffer {
  if (length > bytes.length) throw new RangeError('A value of the Berkeley DB is longer than the file');
  const parts: Buffer[] = [];
  let left = length;
  for (let number = first; left > 0; number = u32(number * pageSize + 16)) {
    const page = number * pageSize;
    const size = u16(page + 22);
    if (bytes.readUInt8(page + 25) !== OVERFLOW_PAGE || size === 0)
      throw new RangeError('A page of the Berkeley DB is not an overflow page');
    parts.push(bytes.subarray(page + HEADER, page + HEADER + size));
    left -= size;
  }
  return Buffer.concat(parts).subarray(0, length);
}
