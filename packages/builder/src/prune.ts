import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { childrenOf, isDigest, parseManifest, type Descriptor, type Digest } from '@tbuild/oci';
import { emptyTrash, moveToTrash } from '@tbuild/snapshot';
import { liveLeases } from './lease.ts';
import { readStored } from './stored-document.ts';
import type { Worker } from './worker.ts';

/** Everything that builds can make again: records before what they point at. */
const CACHE_DIRECTORIES = ['records', 'resolved', 'digests', 'layers', 'snapshots', 'context-index', 'cache-mounts', 'http', 'git'];

export interface PruneOptions {
  /** The whole build cache too, not only what nothing refers to. */
  readonly all: boolean;
}

/**
 * Removes blobs that no named image needs and, with `all`, the build cache. Returns the bytes freed.
 * @throws TbuildError USAGE while a build is at work on the store.
 */
export async function pruneStore(worker: Worker, { all }: PruneOptions): Promise<number> {
  const busy = liveLeases(worker.root);
  if (busy.length > 0) {
    throw new TbuildError('USAGE', `The store ${JSON.stringify(worker.root)} is in use by a build (process ${busy.join(', ')})`, {
      hint: 'Run prune again when it has finished',
    });
  }
  let freed = 0;
  if (all) for (const name of CACHE_DIRECTORIES) freed += discard(worker.root, name);
  const needed = all ? namedBlobs(worker) : new Set([...namedBlobs(worker), ...cachedBlobs(worker)]);
  for await (const { digest, size } of worker.content.list()) {
    if (needed.has(digest)) continue;
    await worker.content.delete(digest);
    freed += size;
  }
  emptyTrash(worker.root);
  return freed;
}

function discard(root: string, name: string): number {
  const path = join(root, name);
  const size = sizeOf(path) ?? 0;
  moveToTrash(root, path);
  return size;
}

/** Bytes of the files below a directory; undefined when it is not there. */
function sizeOf(path: string): number | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + (sizeOf(join(path, name)) ?? 0), 0);
}

/** The blobs of every named image, found by walking from its name. */
function namedBlobs(worker: Worker): Set<Digest> {
  const seen = new Set<Digest>();
  const pending: Descriptor[] = worker.refs.list().map(({ target }) => target);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next.digest)) continue;
    seen.add(next.digest);
    if (/manifest|index/.test(next.mediaType)) pending.push(...childrenIn(next.digest, worker));
  }
  return seen;
}

function childrenIn(digest: Digest, worker: Worker): readonly Descriptor[] {
  const bytes = readStored(worker.content, digest);
  return bytes === undefined ? [] : childrenOf(parseManifest(bytes));
}

/** Blobs that the build cache counts on: packed layers, fetched files, and the documents and layers of resolved bases. */
function cachedBlobs(worker: Worker): readonly Digest[] {
  const named = ['layers', 'resolved', 'http'].flatMap((name) => digestsIn(join(worker.root, name)));
  return named.flatMap((digest) => [digest, ...(isManifest(digest, worker) ? childrenIn(digest, worker).map((child) => child.digest) : [])]);
}

function digestsIn(directory: string): readonly Digest[] {
  const files = existsSync(directory) ? readdirSync(directory) : [];
  return files.flatMap((file) => readFileSync(join(directory, file), 'utf8').match(/sha256:[a-f0-9]{64}/g) ?? []).filter(isDigest);
}

/** Manifests are small; a layer is not read to find that it is none. */
function isManifest(digest: Digest, { content }: Worker): boolean {
  const stats = statSync(content.path(digest), { throwIfNoEntry: false });
  if (stats === undefined || stats.size > 1024 * 1024) return false;
  return readFileSync(content.path(digest), 'utf8').startsWith('{');
}
