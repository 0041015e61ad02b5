/** One member of a tar archive, with its PAX records applied. */
export interface TarMember {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly linkName: string;
  readonly device: string;
  /** PAX extended attributes (`SCHILY.xattr.*`) by name, as raw bytes. */
  readonly attributes: ReadonlyMap<string, Buffer>;
  readonly data: Buffer;
}

interface Pending {
  records: Map<string, Buffer>;
  name?: string;
  linkName?: string;
}

const attributePrefix = 'SCHILY.xattr.';

/** Reads a whole tar archive (ustar, PAX, GNU long names); written apart from the product, to check it. */
export function* readTar(archive: Buffer): Generator<TarMember> {
  let pending: Pending = { records: new Map() };
  for (let offset = 0; offset + 512 <= archive.length;) {
    const header = archive.subarray(offset, offset + 512);
    if (header[0] === 0) return;
    checkHeader(header, offset);
    const type = String.fromCharCode(header[156] || 48);
    const records = pending.records;
    const size = Number(records.get('size')?.toString() ?? number(header, 124, 12));
    const data = archive.subarray(offset + 512, offset + 512 + size);
    offset += 512 + Math.ceil(size / 512) * 512;
    if (type === 'x') pending = { ...pending, records: paxRecords(data) };
    else if (type === 'L') pending = { ...pending, name: text(data, 0, size) };
    else if (type === 'K') pending = { ...pending, linkName: text(data, 0, size) };
    else if (type !== 'g') {
      yield member(header, { type, size, data }, pending);
      pending = { records: new Map() };
    }
  }
}

function member(header: Buffer, body: { type: string; size: number; data: Buffer }, pending: Pending): TarMember {
  const { records } = pending;
  const record = (key: string) => records.get(key)?.toString();
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(header, 345, 155) : '';
  const shortName = (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100);
  const attributes = [...records].filter(([key]) => key.startsWith(attributePrefix));
  return {
    ...body,
    name: record('path') ?? pending.name ?? shortName,
    mode: number(header, 100, 8),
    uid: Number(record('uid') ?? number(header, 108, 8)),
    gid: Number(record('gid') ?? number(header, 116, 8)),
    mtime: Number(record('mtime') ?? number(header, 136, 12)),
    linkName: record('linkpath') ?? pending.linkName ?? text(header, 157, 100),
    device: `${number(header, 329, 8)}:${number(header, 337, 8)}`,
    attributes: new Map(attributes.map(([key, value]) => [key.slice(attributePrefix.length), value])),
  };
}

function checkHeader(header: Buffer, offset: number): void {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  if (sum !== number(header, 148, 8)) throw new Error(`Tar header at ${offset} has a wrong checksum`);
}

function paxRecords(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let offset = 0; offset < data.length;) {
    const space = data.indexOf(32, offset);
    const end = offset + Number(data.toString('latin1', offset, space));
    const equals = data.indexOf(61, space);
    records.set(data.toString('utf8', space + 1, equals), data.subarray(equals + 1, end - 1));
    offset = end;
  }
  return records;
}

function text(buffer: Buffer, start: number, length: number): string {
  const field = buffer.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

/** Parses octal digits, or base 256 where the first bit is set. */
function number(buffer: Buffer, start: number, length: number): number {
  const field = buffer.subarray(start, start + length);
  if ((field[0]! & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  return Number.parseInt(
    field
      .toString('latin1')
      .replace(/[\0 ]+$/, '')
      .trim() || '0',
    8,
  );
}
