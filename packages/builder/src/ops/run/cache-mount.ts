import { chmodSync, mkdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { RunMount } from '@tbuild/graph';
import { canonicalJson, digestOf, hexOf } from '@tbuild/oci';
import { copySelected } from '../copy/copy-selected.ts';
import { giveOwner } from '../copy/give-owner.ts';
import type { StepContext } from '../op-environment.ts';
import { takeCacheDirectory } from './cache-directory.ts';
import type { KeyedMount } from './keyed-mount.ts';
import type { StepFiles } from './step-files.ts';

type CacheMount = Extract<RunMount, { type: 'cache' }>;

/** The directory of each cache mount of a step. */
export type CacheDirectories = ReadonlyMap<KeyedMount, string>;

/**
 * Acquires the directories of a step's `--mount=type=cache`, until `files` is disposed. The order is fixed, so that no
 * two steps wait for each other. A directory mounted twice is acquired once.
 */
export async function takeCacheDirectories(
  keyed: readonly KeyedMount[],
  files: StepFiles,
  context: StepContext,
  signal: AbortSignal,
): Promise<CacheDirectories> {
  const wanted = keyed.flatMap((one) =>
    one.mount.type === 'cache' ? [{ one, mount: one.mount, key: directoryKey(one.mount, one) }] : [],
  );
  const paths = new Map<string, string>();
  for (const { one, mount, key } of wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    if (!paths.has(key)) paths.set(key, await take(key, one, mount, { files, context, signal }));
  }
  return new Map(wanted.map(({ one, key }) => [one, paths.get(key) ?? '']));
}

/** Returns the key of a cache directory. As in BuildKit, another initial content, mode or owner makes another cache. */
export function directoryKey({ id, mode, uid, gid }: CacheMount, { input }: Pick<KeyedMount, 'input'>): string {
  const origin = input === undefined ? { mode, uid, gid } : { content: input.content };
  return hexOf(digestOf(canonicalJson({ id, ...origin })));
}

interface Taking {
  readonly files: StepFiles;
  readonly context: StepContext;
  readonly signal: AbortSignal;
}

async function take(
  key: string,
  { input }: KeyedMount,
  mount: CacheMount,
  { files, context, signal }: Taking,
): Promise<string> {
  const { services, step, progress, discardedCaches } = context;
  const discard = step.noCache && !discardedCaches.has(key);
  // `--no-cache` does not discard what a step of this build has written.
  discardedCaches.add(key);
  const fill = async (path: string): Promise<void> => {
    if (input === undefined) {
      makeEmpty(path, mount);
      if (!discard) await context.importMount(key, path);
    } else await copySelected(input, dirname(path), basename(path), { services, signal });
  };
  const onWait = (): void =>
    progress.emit({
      type: 'log',
      step: step.id,
      stream: 'stderr',
      data: Buffer.from(`waiting for cache mount ${JSON.stringify(mount.id)}, which another step uses\n`),
    });
  const directory = await takeCacheDirectory(
    services.store,
    { key, sharing: mount.sharing, discard, fill, onWait },
    signal,
  );
  files.onDispose(() => directory[Symbol.dispose]());
  return directory.path;
}

function makeEmpty(path: string, { mode, uid, gid }: CacheMount): void {
  mkdirSync(path);
  giveOwner(path, uid, gid);
  chmodSync(path, mode);
}
