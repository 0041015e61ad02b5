import { readFileSync, rmSync } from 'node:fs';
import { digestOf, type Digest } from '@tbuild/oci';
import { isNoFile } from '@tbuild/store';
import type { LocalStore } from './local-store.ts';

/** Reads a document like {@link readStored} and marks it as used. */
export function useStored(content: LocalStore, digest: Digest): Buffer | undefined {
  return content.use(digest) ? readStored(content, digest) : undefined;
}

/** Reads a small document by its digest alone. Returns undefined if it is missing. Removes a damaged one. */
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
