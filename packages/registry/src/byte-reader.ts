/** Reads a stream in parts of given lengths, without holding a part in memory. */
export interface ByteReader extends AsyncDisposable {
  /** Reads the next `length` bytes, or fewer at the end. Read one part to its end before the next. */
  take(length: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** Skips the next bytes. */
  skip(length: number): Promise<void>;
}

/** Disposing of the reader closes the source. */
export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const take = async function* (length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0;) {
      if (rest.length === 0) {
        const step = await iterator.next();
        if (step.done) return;
        rest = step.value;
      }
      const part = rest.subarray(0, left);
      rest = rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  };
  return {
    take,
    async skip(length) {
      for await (const _ of take(length)) continue;
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.();
    },
  };
}
