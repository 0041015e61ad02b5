import { lstatSync } from 'node:fs';
import type { Differ } from '@tbuild/diff';
import { type Digest, isDigest } from '@tbuild/oci';
import { listDirectory } from '@tbuild/store';
import type { GcStore } from '../gc-store.ts';

export interface CheckedStore extends GcStore {
  readonly differ: Differ;
}

export interface CheckOptions {
  /** Also hashes large blobs, and packs the trees whose layer this machine packed, to compare them with its diff ID. */
  readonly full: boolean;
  readonly signal: AbortSignal;
}

/** Returns the digests whose hexadecimal part is a name in a directory. */
export function digestsIn(directory: string): readonly Digest[] {
  return listDirectory(directory)
    .map((name) => `sha256:${name}`)
    .filter(isDigest);
}

/** Reports whether anything has a name. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
