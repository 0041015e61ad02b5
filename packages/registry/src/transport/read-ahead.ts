import { finished, type Readable } from 'node:stream';

/** Bytes that are read while the program does something else. They are one piece, which costs less than many small ones. */
const MOST = 1024 * 1024;

/** Yields all that a stream brings before it throws the error with which the stream ends: a download goes on behind it. */
export async function* readAhead(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  let end: { readonly error?: Error | null } | undefined;
  let wake = (): void => {};
  stream.on('data', (piece: Uint8Array) => {
    pieces.push(piece);
    size += piece.length;
    if (size >= MOST) stream.pause();
    wake();
  });
  finished(stream, (error) => {
    end = { error };
    wake();
  });
  try {
    for (;;) {
      if (size > 0) {
        const piece = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
        [pieces, size] = [[], 0];
        stream.resume();
        yield piece;
      } else if (end === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else if (end.error) throw end.error;
      else return;
    }
  } finally {
    stream.destroy();
  }
}
