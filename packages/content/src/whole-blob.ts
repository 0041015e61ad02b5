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
  const chunks: Uint8Array[] = [];
  for await (const chunk of await from.read(target, signal)) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** Returns bytes as a source for `Ingester.write`. */
export async function* fromBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
