import { TbuildError } from '@tbuild/errors';
import type { Descriptor } from '@tbuild/oci';
import type { Provider } from './content-store.ts';

const LIMIT = 16 * 1024 * 1024;

/**
 * Reads a small blob into memory: a manifest, index or configuration, never a layer.
 *
 * @throws TbuildError NOT_FOUND, DIGEST_MISMATCH; UNSUPPORTED above 16 MiB.
 */
export async function readWhole(from: Provider, target: Descriptor, signal?: AbortSignal): Promise<Uint8Array> {
  if (target.size > LIMIT) {
    throw new TbuildError(
      'UNSUPPORTED',
      `Document ${target.digest} has ${target.size} bytes, expected at most ${LIMIT}`,
    );
  }
  return readAll(await from.read(target, signal));
}

/** Reads a source into memory, to its end. */
export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns bytes as a source for `Ingester.write`. */
export async function* fromBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
