import { readFileSync } from 'node:fs';
import type { LocalStore } from '@tbuild/content';
import { errnoName, TbuildError } from '@tbuild/errors';
import { digestOf, type Digest } from '@tbuild/oci';

/**
 * A small document of the store, known by its digest alone; undefined when it is not there.
 * @throws TbuildError DIGEST_MISMATCH when the file is corrupt.
 */
export function readStored(content: LocalStore, digest: Digest): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(content.path(digest));
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
  if (digestOf(bytes) === digest) return bytes;
  throw new TbuildError('DIGEST_MISMATCH', `Blob ${digest} in the store is corrupt`, { hint: 'Run tbuild prune --all and build again' });
}
