const SLOT = 0x746f6c53;
const BLOB = 0x53626c42;
/** Size of a slot and of a block, in bytes. */
const UNIT = 16;
const PAGE = 4096;

/**
 * Yields the blobs of rpm's own database format (`Packages.db` on SUSE). Its pages hold slots, each with a package
 * number and the offset of its blob. The first two slots of the first page are the header.
 * @throws RangeError for a damaged file.
 */
export function* ndbBlobs(bytes: Buffer): Generator<Buffer> {
  const end = bytes.readUInt32LE(12) * PAGE;
  for (let slot = 2 * UNIT; slot < end; slot += UNIT) {
    if (bytes.readUInt32LE(slot) !== SLOT) throw new RangeError('A slot of the rpm database is damaged');
    const [number, block] = [bytes.readUInt32LE(slot + 4), bytes.readUInt32LE(slot + 8)];
    if (number === 0 || block === 0) continue;
    const start = block * UNIT;
    const length = bytes.readUInt32LE(start + 12);
    if (bytes.readUInt32LE(start) !== BLOB || start + UNIT + length > bytes.length)
      throw new RangeError('A blob of the rpm database is damaged');
    yield bytes.subarray(start + UNIT, start + UNIT + length);
  }
}
