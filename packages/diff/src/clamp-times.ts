import { TbuildError } from '@tbuild/errors';
import { decodeTarHeader } from './tar/decode-tar-header.ts';
import { parsePaxRecords } from './tar/pax-records.ts';
import { BLOCK, checksumOf, Field, paddingOf } from './tar/tar-entry.ts';

/**
 * Rewrites an archive so that no file is newer than `latest`, in seconds since 1970. All other bytes stay the same.
 * @throws TbuildError SNAPSHOT if it is not an archive, UNSUPPORTED if a newer file is found and `latest` is before 1970.
 */
export async function* clampTimes(
  archive: AsyncIterable<Uint8Array>,
  latest: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const clamp = new Clamp(latest);
  let held: Uint8Array = Buffer.alloc(0);
  for await (const chunk of archive) {
    // A copy, since the headers are changed in place.
    const bytes = Buffer.concat([held, chunk]);
    const passed = clamp.pass(bytes);
    held = bytes.subarray(passed);
    yield bytes.subarray(0, passed);
  }
  if (held.length > 0) yield held;
}

class Clamp {
  readonly #latest: number;
  /** The number of bytes until the next header. */
  #rest = 0;
  /** The size of the next member if an extended header gives it. */
  #size: number | undefined;
  /** Whether an extended header gives the time of the next member, which its plain header then cannot hold. */
  #hasTime = false;

  constructor(latest: number) {
    this.#latest = latest;
  }

  /** Changes the headers in `bytes`. Returns the number of bytes that are complete; pass the others again with more. */
  pass(bytes: Buffer): number {
    let at = 0;
    for (;;) {
      const body = Math.min(this.#rest, bytes.length - at);
      at += body;
      this.#rest -= body;
      if (bytes.length - at < BLOCK) return at;
      const size = this.#header(bytes.subarray(at));
      if (size === undefined) return at;
      at += BLOCK;
      this.#rest = size + paddingOf(size);
    }
  }

  /**
   * Changes the header at the beginning of `bytes`. Returns the size of what follows, or undefined if more bytes are
   * needed.
   */
  #header(bytes: Buffer): number | undefined {
    const block = bytes.subarray(0, BLOCK);
    if (block.every((byte) => byte === 0)) return 0;
    const { type, size, mtime } = decodeTarHeader(block);
    if (type === 'x') return this.#extended(bytes, size);
    const own = this.#size ?? size;
    if (mtime > this.#latest && !(this.#latest < 0 && this.#hasTime)) setTime(block, this.#writable());
    this.#size = undefined;
    this.#hasTime = false;
    return own;
  }

  #extended(bytes: Buffer, size: number): number | undefined {
    if (bytes.length < BLOCK + size) return undefined;
    const data = bytes.subarray(BLOCK, BLOCK + size);
    const records = parsePaxRecords(data);
    const own = records.get('size');
    if (own !== undefined) this.#size = Number(Buffer.from(own).toString());
    this.#hasTime = records.has('mtime');
    for (const key of ['mtime', 'atime', 'ctime']) {
      const value = records.get(key);
      if (value === undefined || Number(Buffer.from(value).toString()) <= this.#latest) continue;
      // The same length keeps the rest of the header unchanged.
      const at = data.indexOf(` ${key}=`) + key.length + 2;
      data.write(String(this.#writable()).padStart(value.length, '0'), at, 'latin1');
    }
    return size;
  }

  /** Returns the time to write: the plain field has none before 1970, and more fields would change the length. */
  #writable(): number {
    if (this.#latest < 0) throw new TbuildError('UNSUPPORTED', 'Times in an archive cannot be lowered to before 1970');
    return this.#latest;
  }
}

function setTime(block: Buffer, seconds: number): void {
  const [offset, length] = Field.mtime;
  block.write(`${seconds.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  const [checksum] = Field.checksum;
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, checksum, 'latin1');
}
