/** Reads a stream in parts of given lengths, none of which is held in memory. */
export interface ByteReader extends AsyncDisposable {
  /** The next bytes: `length` of them, fewer at the end. One part is read to its end before the next is asked for. */
  take(length: number): AsyncGenerator<Uint8Array, void, undefined>;
  /** Reads over the next bytes. */
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
