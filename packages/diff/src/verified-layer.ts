import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, type Digest, type Layer } from '@tbuild/oci';
import { decompressLayer } from './open-layer.ts';
import { archiveError } from './tar/archive-error.ts';

/**
 * Passes the blob of a layer through and verifies it: its compression must match its media type, and its archive must
 * have the diff ID.
 * @throws TbuildError DIGEST_MISMATCH, at the latest after the last byte.
 */
export async function* verifiedLayer(
  blob: AsyncIterable<Uint8Array>,
  { descriptor: { digest, mediaType }, diffId }: Layer,
): AsyncGenerator<Uint8Array, void> {
  const copy = new PassThrough();
  // Decompression may end or fail before the blob ends.
  copy.on('error', () => {});
  const unpacked = diffIdOf(copy, mediaType).catch((cause: unknown) => {
    throw new TbuildError('DIGEST_MISMATCH', `Layer ${digest} does not match its media type ${mediaType}`, { cause });
  });
  unpacked.catch(() => {});
  try {
    for await (const chunk of blob) {
      if (!copy.destroyed && !copy.write(chunk)) await Promise.race([once(copy, 'drain'), unpacked]);
      yield chunk;
    }
    copy.end();
    const found = await unpacked;
    if (found !== diffId)
      throw new TbuildError('DIGEST_MISMATCH', `Layer ${digest} unpacks to ${found}, expected ${diffId}`);
  } finally {
    copy.destroy();
  }
}

async function diffIdOf(blob: AsyncIterable<Uint8Array>, mediaType: string): Promise<Digest> {
  const hash = createHash('sha256');
  const { compression, bytes } = await decompressLayer(blob);
  if (compression !== layerCompression(mediaType)) throw archiveError(`The layer's compression is ${compression}`);
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
