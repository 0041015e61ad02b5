import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { dropPageCache, type ReadNext } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import { comesBefore } from '@tbuild/snapshot';
import { BLOCK, paddingOf, TarType, type TarEntry } from './tar/tar-entry.ts';
import { TarParser } from './tar/tar-parser.ts';

/** A layer in the store, read once from front to back to take files from it. */
export interface EarlierLayer extends Disposable {
  /**
   * Advances to the file `path` and returns a function that reads its bytes. Returns undefined if the file is not
   * ahead or has another size. `header` is the most likely header of the member.
   */
  find(path: string, size: number, header: Buffer): ReadNext | undefined;
  /** Reads to the end and returns whether the layer has its digest, so that the taken bytes are right. */
  isIntact(): boolean;
}

/** Opens a layer. Returns undefined if that fails: another process may have removed it. */
export function openEarlierLayer(path: string, digest: Digest): EarlierLayer | undefined {
  try {
    return new MemberReader(openSync(path, constants.O_RDONLY), digest);
  } catch {
    return undefined;
  }
}

const BUFFER_SIZE = 1 << 20;

interface Member {
  readonly entry: TarEntry;
  /** The length of its headers in bytes. */
  readonly length: number;
}

class MemberReader implements EarlierLayer {
  readonly #fd: number;
  readonly #digest: Digest;
  readonly #hash = createHash('sha256');
  /** Bytes read but not consumed: from `#at` to `#end`. */
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  #at = 0;
  #end = 0;
  /** The position in the file. */
  #position = 0;
  /** The remaining bytes of the current member, including its padding. */
  #rest = 0;
  /** The next member, once its headers have been read. */
  #next: Member | undefined;
  #damaged = false;
  #taken = false;

  constructor(fd: number, digest: Digest) {
    this.#fd = fd;
    this.#digest = digest;
  }

  find(path: string, size: number, header: Buffer): ReadNext | undefined {
    for (;;) {
      this.#skip();
      if (this.#next === undefined && this.#startsWith(header)) {
        this.#begin(header.length, size);
        return this.#take();
      }
      const member = (this.#next ??= this.#readMember());
      if (member === undefined) return undefined;
      const name = member.entry.name.replace(/\/$/, '');
      if (name !== path && !comesBefore(name, path)) return undefined;
      this.#begin(member.length, member.entry.size);
      if (name === path)
        return member.entry.type === TarType.file && member.entry.size === size ? this.#take() : undefined;
    }
  }

  isIntact(): boolean {
    if (!this.#taken) return true;
    while (this.#fill(1)) this.#at = this.#end;
    return !this.#damaged && `sha256:${this.#hash.digest('hex')}` === this.#digest;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #take(): ReadNext {
    this.#taken = true;
    return this.#read;
  }

  readonly #read: ReadNext = (buffer, at, length) => {
    if (!this.#fill(1)) return 0;
    const count = Math.min(length, this.#end - this.#at);
    this.#buffer.copy(buffer, at, this.#at, this.#at + count);
    this.#at += count;
    this.#rest -= count;
    return count;
  };

  #begin(headers: number, size: number): void {
    this.#at += headers;
    this.#rest = size + paddingOf(size);
    this.#next = undefined;
  }

  #skip(): void {
    while (this.#rest > 0 && this.#fill(1)) {
      const count = Math.min(this.#rest, this.#end - this.#at);
      this.#at += count;
      this.#rest -= count;
    }
  }

  #startsWith(bytes: Buffer): boolean {
    return this.#fill(bytes.length) && bytes.equals(this.#buffer.subarray(this.#at, this.#at + bytes.length));
  }

  /** Returns undefined at the end of the archive and where it is damaged. */
  #readMember(): Member | undefined {
    let entry: TarEntry | undefined;
    const parser = new TarParser((found) => void (entry = found));
    try {
      for (let length = BLOCK; this.#fill(length); length += BLOCK) {
        parser.push(this.#buffer.subarray(this.#at + length - BLOCK, this.#at + length));
        if (entry !== undefined) return { entry, length };
      }
    } catch {
      this.#damaged = true;
    }
    return undefined;
  }

  /** Reads until `count` bytes are buffered contiguously. Returns false if there are fewer. */
  #fill(count: number): boolean {
    if (count > BUFFER_SIZE) return false;
    if (this.#at + count > BUFFER_SIZE || this.#at === this.#end) {
      this.#buffer.copyWithin(0, this.#at, this.#end);
      [this.#at, this.#end] = [0, this.#end - this.#at];
    }
    while (this.#end - this.#at < count) {
      const size = this.#readMore();
      if (size === 0) return false;
      this.#hash.update(this.#buffer.subarray(this.#end, this.#end + size));
      // The new layer replaces this one. On a virtual machine that returns free memory to its host, new page
      // cache pages are expensive.
      dropPageCache(this.#fd, this.#position, size);
      this.#position += size;
      this.#end += size;
    }
    return true;
  }

  #readMore(): number {
    try {
      return readSync(this.#fd, this.#buffer, this.#end, BUFFER_SIZE - this.#end, null);
    } catch {
      this.#damaged = true;
      return 0;
    }
  }
}
