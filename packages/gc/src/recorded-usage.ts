import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import {
  createDiskUsage,
  type DiskUsage,
  type LinkedFile,
  readText,
  type StoreLayout,
  type Usage,
  writeAtomically,
} from '@tbuild/store';
import { listCacheEntries } from './cache-entries.ts';
import type { CacheEntry } from './cache-entry.ts';
import type { GcStore } from './gc-store.ts';
import { namedBlobs } from './needed-blobs.ts';

/**
 * Lists the entries that the limits of the cache are about, with their sizes. Walks only directories that are new or have
 * changed since their size was recorded, and records theirs.
 */
export async function listWithSizes(stores: GcStore): Promise<readonly CacheEntry[]> {
  const disk = openRecordedUsage(stores.store);
  const entries = await listCacheEntries(stores, { disk, named: namedBlobs(stores) });
  disk.save();
  return entries;
}

/** The size of a directory, as it is recorded. */
interface RecordedSize {
  /** The time of its last change. It is measured again after another one. */
  readonly time: number;
  readonly own: number;
  /** Inode and bytes of files that have names in other directories too. */
  readonly linked: readonly (readonly [number, number])[];
}

interface RecordedUsage extends DiskUsage {
  /** Records the sizes of what was measured, and forgets all others. */
  save(): void;
}

/** Measures like {@link createDiskUsage}, but knows the sizes of trees, cache mounts and git mirrors from the last time. */
function openRecordedUsage(store: StoreLayout): RecordedUsage {
  const places = new Set([store.snapshots, store.cacheMounts, store.git]);
  const known = readSizes(store.sizes);
  const current = new Map<string, RecordedSize>();
  const files = new Map<number, LinkedFile>();
  const disk = createDiskUsage();
  const usageOf = ({ own, linked }: RecordedSize): Usage => ({
    own,
    linked: linked.map(([inode, bytes]) => {
      const file = files.get(inode) ?? { inode, bytes, names: 0, counted: false };
      // The names that entries of the cache have: one in the trash holds no space for long.
      file.names++;
      files.set(inode, file);
      return file;
    }),
  });
  return {
    measure(path) {
      if (!places.has(dirname(path))) return disk.measure(path);
      const time = timeOf(path);
      if (time === undefined) return { own: 0, linked: [] };
      const name = `${basename(dirname(path))}/${basename(path)}`;
      const size = known.get(name);
      const valid = size?.time === time ? size : { time, ...withoutInnerLinks(disk.measure(path)) };
      current.set(name, valid);
      return usageOf(valid);
    },
    measureAlone: disk.measureAlone,
    save() {
      const text = JSON.stringify(Object.fromEntries(current));
      if (text !== readText(store.sizes)) writeAtomically(store.sizes, text, { temporaryDirectory: store.temporary });
    },
  };
}

/** A build sets the time of what it uses, and the tree of a copy that shares files with the next one is used. */
function timeOf(path: string): number | undefined {
  const stats = statSync(`${path}/used`, { throwIfNoEntry: false }) ?? statSync(path, { throwIfNoEntry: false });
  return stats?.mtimeMs;
}

/** Counts a file as the directory's own if all of its names are in it. */
function withoutInnerLinks({ own, linked }: Usage): Pick<RecordedSize, 'own' | 'linked'> {
  const counts = new Map<LinkedFile, number>();
  for (const file of linked) counts.set(file, (counts.get(file) ?? 0) + 1);
  let bytes = own;
  const outer: [number, number][] = [];
  for (const [file, count] of counts)
    if (count === file.names) bytes += file.bytes;
    else outer.push([file.inode, file.bytes]);
  return { own: bytes, linked: outer };
}

/** A file that a crash left incomplete counts as empty: every size can be measured again. */
function readSizes(file: string): ReadonlyMap<string, RecordedSize> {
  try {
    const sizes: Record<string, RecordedSize> = JSON.parse(readText(file) ?? '{}');
    return new Map(
      Object.entries(sizes).filter(([, { own, linked }]) => Number.isFinite(own) && Array.isArray(linked)),
    );
  } catch {
    return new Map();
  }
}
