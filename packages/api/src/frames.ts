import { deserialize, serialize } from 'node:v8';

const HEAD = 4;

/** Encodes a message: its length, then its structured clone, in which bytes stay bytes. */
export function encodeFrame(message: unknown): Buffer {
  const body = serialize(message);
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Decodes the messages in a stream of bytes; drops an incomplete one at the end. */
export async function* decodeFrames(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<unknown> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    const more = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes = Buffer.concat([bytes, more]);
    for (let end = endOf(bytes); end <= bytes.length; end = endOf(bytes)) {
      yield deserialize(bytes.subarray(HEAD, end));
      bytes = bytes.subarray(end);
    }
  }
}

function endOf(bytes: Buffer): number {
  return bytes.length < HEAD ? Infinity : HEAD + bytes.readUInt32BE();
}
