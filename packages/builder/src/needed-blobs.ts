import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, isDigest, parseManifest, type Descriptor, type Digest } from '@tbuild/oci';
import { readStored } from './stored-document.ts';
import type { Worker } from './worker.ts';

/** The blobs of every named image, found by walking from its name. */
export function namedBlobs(worker: Worker): Set<Digest> {
  const seen = new Set<Digest>();
  const pending: Descriptor[] = worker.refs.list().map(({ target }) => target);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next.digest)) continue;
    seen.add(next.digest);
    if (/manifest|index/.test(next.mediaType)) pending.push(...childrenIn(next.digest, worker));
  }
  return seen;
}

/** Blobs that the build cache counts on: packed layers, fetched files, and the documents and layers of resolved bases. */
export function cachedBlobs(worker: Worker): readonly Digest[] {
  const named = ['layers', 'resolved', 'http'].flatMap((name) => digestsIn(join(worker.root, name)));
  return named.flatMap((digest) => [
    digest,
    ...(isManifest(digest, worker) ? childrenIn(digest, worker).map((child) => child.digest) : []),
  ]);
}

function childrenIn(digest: Digest, worker: Worker): readonly Descriptor[] {
  const bytes = readStored(worker.content, digest);
  return bytes === undefined ? [] : childrenOf(parseManifest(bytes));
}

function digestsIn(directory: string): readonly Digest[] {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  return files
    .flatMap((file) => readFileSync(join(directory, file), 'utf8').match(/sha256:[a-f0-9]{64}/g) ?? [])
    .filter(isDigest);
}

/** Manifests are small; a layer is not read to find that it is none. */
function isManifest(digest: Digest, { content }: Worker): boolean {
  const stats = statSync(content.path(digest), { throwIfNoEntry: false });
  if (stats === undefined || stats.size > 1024 * 1024) return false;
  return readFileSync(content.path(digest), 'utf8').startsWith('{');
}
