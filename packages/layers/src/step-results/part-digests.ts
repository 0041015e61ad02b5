import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ResultId } from '@tbuild/graph';
import { digestOf, hexOf, isDigest, type Digest } from '@tbuild/oci';
import { listDirectory, readNote, writeNote, type StoreLayout } from '@tbuild/store';

/** Names of the files that hold digests of tree parts. */
const HASH = /^[a-f0-9]{64}$/;

/** The digests of parts of the trees, each computed once for all builds. */
export interface PartDigests {
  /** Returns the digest of the part of the tree that `selector` describes. */
  get(result: ResultId, selector: string, compute: () => Promise<Digest>): Promise<Digest>;
  /** Returns the known digests, by the hash of their selector. */
  list(result: ResultId): Readonly<Record<string, Digest>>;
  /** Adds digests from another machine, unless they are known. */
  add(result: ResultId, digests: Readonly<Record<string, Digest>>): void;
}

export function createPartDigests({ digestsOf }: Pick<StoreLayout, 'digestsOf'>): PartDigests {
  return {
    async get(result, selector, compute) {
      const file = join(digestsOf(result), hexOf(digestOf(selector)));
      const known = readPartDigest(file);
      if (known !== undefined) return known;
      const digest = await compute();
      writeNote(file, { digest });
      return digest;
    },
    list(result) {
      const directory = digestsOf(result);
      const known = listDirectory(directory)
        .filter((name) => HASH.test(name))
        .map((name) => [name, readPartDigest(join(directory, name))] as const);
      return Object.fromEntries(known.flatMap(([name, digest]) => (digest === undefined ? [] : [[name, digest]])));
    },
    add(result, digests) {
      for (const [name, digest] of Object.entries(digests)) {
        const file = join(digestsOf(result), name);
        if (!existsSync(file)) writeNote(file, { digest });
      }
    },
  };
}

/** Reads a digest of a part. A damaged file counts as missing. */
export function readPartDigest(file: string): Digest | undefined {
  const { digest } = readNote(file) ?? {};
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}
