import { createHash } from 'node:crypto';
import { TbuildError } from '@tbuild/errors';
import type { Descriptor, Digest } from '@tbuild/oci';
import type { VerifiedSource } from './content-store.ts';

/**
 * Counts and hashes the bytes of `source` on the way. Throws DIGEST_MISMATCH as soon as there are more than `target` has, and at the
 * end when size or digest differ. Holds back the last piece until then, so that no reader gets all of the wrong bytes. Returns a
 * source that verifies itself unchanged.
 */
export function verified(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  target: Pick<Descriptor, 'digest' | 'size'>,
): AsyncIterable<Uint8Array> {
  return isVerified(source, target.digest) ? source : verifying(source, target);
}

/** Reports whether reading the source fails at its end unless it is the blob of that digest. */
export function isVerified(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: Digest,
): source is VerifiedSource {
  return 'verified' in source && source.verified === digest;
}

async function* verifying(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  target: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let size = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > target.size) throw sizeMismatch(target.digest, `more than ${target.size}`, target.size);
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  checkBlob({ digest: `sha256:${hash.digest('hex')}`, size }, target);
  if (held !== undefined) yield held;
}

/**
 * Compares digests, and sizes if one is expected.
 *
 * @throws TbuildError DIGEST_MISMATCH when they differ.
 */
export function checkBlob(
  found: { readonly digest: Digest; readonly size: number },
  expected: { readonly digest: Digest; readonly size?: number },
): void {
  if (expected.size !== undefined && found.size !== expected.size) {
    throw sizeMismatch(expected.digest, String(found.size), expected.size);
  }
  if (found.digest === expected.digest) return;
  throw new TbuildError('DIGEST_MISMATCH', `Blob ${expected.digest} has bytes with the digest ${found.digest}`);
}

function sizeMismatch(digest: Digest, found: string, expected: number): TbuildError {
  return new TbuildError('DIGEST_MISMATCH', `Blob ${digest} has ${found} bytes, expected ${expected}`);
}
