/**
 * Yields the bytes of `source` in full buffers, of which the last may be partly filled. Yields nothing for an empty
 * source.
 */
export async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  nextBuffer: () => Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  let buffer: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length;) {
      buffer ??= nextBuffer();
      const part = chunk.subarray(offset, offset + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < buffer.length) continue;
      yield buffer;
      [buffer, filled] = [undefined, 0];
    }
  }
  if (buffer !== undefined) yield buffer.subarray(0, filled);
}
