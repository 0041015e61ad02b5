import { join } from 'node:path';
import type { Digest } from '@tbuild/oci';
import { type DiskUsage, listDirectory, modifiedAt, readText, sumOf } from '@tbuild/store';
import type { CacheEntry, FetchedKind } from './cache-entry.ts';
import type { GcStore } from './gc-store.ts';
import { blobsNamedIn } from './needed-blobs.ts';

/** The directory of each kind. The mtime of a note is the time of last use. */
const PLACES: readonly (readonly [FetchedKind, 'resolved' | 'http' | 'git'])[] = [
  ['base image', 'resolved'],
  ['fetched file', 'http'],
  ['git repository', 'git'],
];

/** Returns the base images, files and repositories that were fetched. A blob counts for the entry that used it last, unless it is `taken`. */
export function fetchedEntries(stores: GcStore, disk: DiskUsage, taken: Set<Digest>): readonly CacheEntry[] {
  const found = PLACES.flatMap(([kind, place]) =>
    listDirectory(stores.store[place]).map((name) => {
      const path = join(stores.store[place], name);
      return { kind, name, path, usedAt: modifiedAt(path) };
    }),
  );
  return found
    .toSorted((a, b) => b.usedAt - a.usedAt)
    .map(({ kind, name, path, usedAt }): CacheEntry => {
      const text = kind === 'git repository' ? '' : (readText(path) ?? '');
      const blobs = blobsNamedIn(text, stores).filter((digest) => !taken.has(digest));
      for (const blob of blobs) taken.add(blob);
      const usage = sumOf([path, ...blobs.map((blob) => stores.content.path(blob))].map((part) => disk.measure(part)));
      return { name, kind, keys: [], path, blobs, usage, usedAt, below: [], description: sourceIn(text) };
    });
}

function sourceIn(text: string): string | undefined {
  const [, source] = /"source":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return source === undefined ? undefined : String(JSON.parse(source));
}
