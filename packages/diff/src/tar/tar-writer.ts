import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { createHoleReader, type ReadNext } from '@tbuild/linux';
import { encodeTarHeader } from './encode-tar-header.ts';
import { BLOCK, paddingOf, type TarEntry } from './tar-entry.ts';

/** Takes bytes. The caller may reuse the buffer afterwards. */
export type ByteSink = (bytes: Uint8Array) => void;

const BUFFER_SIZE = 1 << 20;

/** Writes an archive through one fixed buffer, into which it reads files directly. */
export class TarWriter {
  readonly #sink: ByteSink;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #filled = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Writes a member without bytes, or the header of a member whose bytes follow with {@link body}. */
  header(entry: TarEntry): void {
    this.encodedHeader(encodeTarHeader(entry));
  }

  /** The same as {@link header}, for an encoded header. */
  encodedHeader(header: Buffer): void {
    this.#reserve(header.length);
    header.copy(this.#buffer, this.#filled);
    this.#filled += header.length;
  }

  /**
   * Writes exactly `size` bytes of the file at `location`. Yields after each full buffer.
   * @throws TbuildError SNAPSHOT if the file is shorter.
   */
  *body(location: string, size: number): CooperativeTask {
    if (size === 0) return;
    const fd = openSync(location, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(yield* this.bodyFrom(fd, size)))
        throw new TbuildError('SNAPSHOT', `File ${JSON.stringify(location)} shrank while it was read`);
    } finally {
      closeSync(fd);
    }
  }

  /** The same as {@link body}, for an open file. Returns false if the file is shorter; the archive is then useless. */
  bodyFrom(fd: number, size: number): CooperativeTask<boolean> {
    return this.bodyOf(readerOf(fd, size), size);
  }

  /** The same as {@link bodyFrom}, for bytes from `read`. */
  *bodyOf(read: ReadNext, size: number): CooperativeTask<boolean> {
    for (let rest = size; rest > 0;) {
      if (this.#filled === BUFFER_SIZE) {
        this.#flush();
        yield;
      }
      const count = this.#take(read, rest);
      if (count === 0) return false;
      rest -= count;
    }
    this.#zeros(paddingOf(size));
    return true;
  }

  #take(read: ReadNext, most: number): number {
    const count = read(this.#buffer, this.#filled, Math.min(most, BUFFER_SIZE - this.#filled));
    this.#filled += count;
    return count;
  }

  finish(): void {
    this.#zeros(2 * BLOCK);
    this.#flush();
  }

  #zeros(count: number): void {
    this.#reserve(count);
    this.#buffer.fill(0, this.#filled, this.#filled + count);
    this.#filled += count;
  }

  #reserve(size: number): void {
    if (this.#filled + size > BUFFER_SIZE) this.#flush();
    if (size > BUFFER_SIZE) throw new Error(`Tar header of ${size} bytes`);
  }

  #flush(): void {
    if (this.#filled > 0) this.#sink(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

/** Asking whether a file is sparse pays off for large files only. */
function readerOf(fd: number, size: number): ReadNext {
  return createHoleReader(fd, size > BUFFER_SIZE ? fstatSync(fd) : { size: 0, blocks: 0 });
}
