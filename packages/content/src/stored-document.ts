import { readFileSync, rmSync } from 'node:fs';
import { digestOf, type Digest } from '@tbuild/oci';
import { isNoFile } from '@tbuild/store';
import type { LocalStore } from './local-store.ts';

/** As {@link readStored}, for a build that counts on the document: it counts as used from then on. */
export function useStored(content: LocalStore, digest: Digest): Buffer | undefined {
  return content.use(digest) ? readStored(content, digest) : undefined;
}

/** A small document of the store, known by its digest alone; undefined when it is not there. A damaged one is removed. */
export function readStored(content: LocalStore, digest: Digest): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(content.path(digest));
  } catch (error) {
    if (isNoFile(error)) return undefined;
    throw error;
  }
  if (digestOf(bytes) === digest) return bytes;
  rmSync(content.path(digest), { force: true });
  return undefined;
}
