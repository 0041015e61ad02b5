import { archiveError } from './archive-error.ts';

/** The records of an extended header, which describe the following member. */
export type PaxRecords = ReadonlyMap<string, Uint8Array>;

/** Parses `LENGTH KEY=VALUE\n` records. @throws TbuildError SNAPSHOT if they are malformed. */
export function parsePaxRecords(data: Uint8Array): PaxRecords {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 || blank - at > 10 ? NaN : Number(latin(data.subarray(at, blank)));
    const end = at + length;
    const equals = data.indexOf(0x3d, blank);
    const isSound =
      Number.isInteger(length) && end <= data.length && equals > blank && equals < end && data[end - 1] === 0x0a;
    if (!isSound) throw archiveError('Extended tar header is malformed');
    records.set(
      decodeText(data.subarray(blank + 1, equals)),
      Uint8Array.prototype.slice.call(data, equals + 1, end - 1),
    );
    at = end;
  }
  return records;
}

/** Decodes text. @throws TbuildError SNAPSHOT if it is not UTF-8 or contains a NUL, which no file name can. */
export function decodeText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const sound = !text.includes('\0') && (!text.includes('\ufffd') || Buffer.from(text).equals(bytes));
  if (!sound) throw archiveError(`Name ${JSON.stringify(text)} in an archive is not UTF-8`);
  return text;
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
