import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { TbuildError } from '@tbuild/errors';
import { layerCompression, type Digest, type Layer } from '@tbuild/oci';
import { decompressLayer } from './open-layer.ts';
import { archiveError } from './tar/archive-error.ts';

/**
 * Passes the blob of a layer on, and finds out on the way whether it is what is said of it: compressed as its media type
 * says, and the archive of that diff ID.
 * @throws TbuildError DIGEST_MISMATCH, after the last byte at the latest.
 */
export async function* verifiedLayer(
  blob: AsyncIterable<Uint8Array>,
  { descriptor: { digest, mediaType }, diffId }: Layer,
): AsyncGenerator<Uint8Array, void> {
  const copy = new PassThrough();
  // Unpacking may end, or fail, before everything was read.
  copy.on('error', () => {});
  const unpacked = diffIdOf(copy, mediaType).catch((cause: unknown) => {
    throw new TbuildError('DIGEST_MISMATCH', `Layer ${digest} is not of its media type, ${mediaType}`, { cause });
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
  if (compression !== layerCompression(mediaType)) throw archiveError(`It is ${compression}`);
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
