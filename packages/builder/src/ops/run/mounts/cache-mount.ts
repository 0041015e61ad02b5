import { chmodSync, mkdirSync } from 'node:fs';
import type { RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import type { Progress } from '@tbuild/progress';
import { giveOwner } from '../give-owner.ts';
import type { StepUnderway } from '../step-files.ts';
import { takeCacheDirectory, type CacheStore, type Holder } from './cache-directory.ts';
import { copySelected, type CopySelectedPorts } from './copy-selected.ts';
import type { KeyedMount } from './keyed-mount.ts';

type CacheMount = Extract<RunMount, { type: 'cache' }>;

/** What cache mounts use. */
export interface CacheMountPorts extends CopySelectedPorts {
  readonly store: CacheStore;
  readonly progress: Progress;
  /** Directories that `--no-cache` has already emptied in this build. */
  readonly discardedCaches: Set<string>;
  /** Fills the empty directory of a cache mount from an imported cache, if one has it. */
  importMount(key: string, directory: string): Promise<void>;
}

/** The directory of each cache mount of a step. */
export type CacheDirectories = ReadonlyMap<KeyedMount, string>;

/**
 * Acquires the directories of a step's `--mount=type=cache`, until `files` is disposed. The order is fixed, so that no
 * two steps wait for each other. A directory mounted twice is acquired once.
 */
export async function takeCacheDirectories(
  keyed: readonly KeyedMount[],
  step: StepUnderway,
  ports: CacheMountPorts,
): Promise<CacheDirectories> {
  const wanted = keyed.flatMap((one) =>
    one.mount.type === 'cache' ? [{ one, mount: one.mount, input: one.input, key: directoryKey(one.mount, one) }] : [],
  );
  const paths = new Map<string, string>();
  for (const cache of wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
    if (!paths.has(cache.key)) paths.set(cache.key, await take(cache, step, ports));
  return new Map(wanted.map(({ one, key }) => [one, paths.get(key) ?? '']));
}

/** Returns the key of a cache directory. As in BuildKit, another initial content, mode or owner makes another cache. */
export function directoryKey({ id, mode, uid, gid }: CacheMount, { input }: Pick<KeyedMount, 'input'>): string {
  const origin = input === undefined ? { mode, uid, gid } : { content: input.content };
  return hexOf(digestOf(canonicalJson({ id, ...origin })));
}

/** A cache mount with the key of its directory. */
interface WantedCache extends Pick<KeyedMount, 'input'> {
  readonly mount: CacheMount;
  readonly key: string;
}

async function take(
  { key, input, mount }: WantedCache,
  { step, files, signal }: StepUnderway,
  ports: CacheMountPorts,
): Promise<string> {
  const { store, progress, discardedCaches } = ports;
  const discard = step.noCache && !discardedCaches.has(key);
  // `--no-cache` does not discard what a step of this build has written.
  discardedCaches.add(key);
  const fill = async (path: string): Promise<void> => {
    if (input === undefined) {
      makeEmpty(path, mount);
      if (!discard) await ports.importMount(key, path);
    } else await copySelected(input, path, { ...ports, signal });
  };
  const onWait = (holder: Holder): void => {
    const why = holder === 'step' ? 'another step uses' : 'a cache export packs';
    const data = Buffer.from(`waiting for cache mount ${JSON.stringify(mount.id)}, which ${why}\n`);
    progress.emit({ type: 'log', step: step.id, stream: 'stderr', data });
  };
  const directory = await takeCacheDirectory(store, { key, sharing: mount.sharing, discard, fill, onWait }, signal);
  files.onDispose(() => directory[Symbol.dispose]());
  return directory.path;
}

function makeEmpty(path: string, { mode, uid, gid }: CacheMount): void {
  mkdirSync(path);
  giveOwner(path, uid, gid);
  chmodSync(path, mode);
}
