import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import { type FileLock, moveToTrash, openLock, openLockIfThere, waitFor, type StoreLayout } from '@tbuild/store';

/** The part of the store that cache mounts use. */
export type CacheStore = Pick<StoreLayout, 'cacheMount' | 'trash'>;

/** How to acquire a cache directory. */
export interface CacheRequest {
  /** Identifies the directory: `cache-mounts/<key>/<number>` in the store. */
  readonly key: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  /** Whether to discard the content of earlier builds. */
  readonly discard: boolean;
  /** Creates the initial content at this path, a file or directory. The parent exists. */
  fill(path: string): void | Promise<void>;
  /** Called once if something else has to end first. */
  onWait(holder: Holder): void;
}

/** What keeps a step from a cache directory. */
export type Holder = 'step' | 'export';

/** A cache directory, held until disposal. */
export interface CacheDirectory extends Disposable {
  readonly path: string;
}

/**
 * Acquires the directory of a cache mount. Shared users hold it together. If another use excludes that, a private or
 * shared user gets another directory, and a locked one waits.
 */
export async function takeCacheDirectory(
  store: CacheStore,
  request: CacheRequest,
  signal: AbortSignal,
): Promise<CacheDirectory> {
  const parent = store.cacheMount(request.key);
  let waits = false;
  const wait = (holder: Holder): undefined => {
    if (!waits) request.onWait(holder);
    waits = true;
  };
  return waitFor(async () => {
    makeDirectory(parent, { mode: 0o700 });
    // While this lock is held, no other process acquires, fills, discards or removes, so the initial content is made once.
    using door = openLockIfThere(join(parent, 'lock'));
    // Only exports share it.
    if (!door?.tryTake('exclusive')) return door?.tryTake('shared') ? wait('export') : undefined;
    if (!door.isCurrent()) return undefined;
    for (let number = 0; ; number++) {
      const path = join(parent, String(number));
      const lock = openLock(`${path}.lock`);
      if (takeLock(lock, request)) return await prepare(path, lock, { store, request });
      lock[Symbol.dispose]();
      if (request.sharing === 'locked') return wait('step');
    }
  }, signal);
}

/**
 * Holds the first directory of a cache mount while no step uses it: steps that want one wait until it is disposed, so that
 * they get this one, and no prune removes it. Undefined if there is none.
 */
export async function holdIdleCacheDirectory(
  store: Pick<CacheStore, 'cacheMount'>,
  { key, onWait }: { readonly key: string; onWait(): void },
  signal: AbortSignal,
): Promise<CacheDirectory | undefined> {
  const parent = store.cacheMount(key);
  const path = join(parent, '0');
  let waits = false;
  const locks = await waitFor(() => {
    const [lock, door] = [openLockIfThere(`${path}.lock`), openLockIfThere(join(parent, 'lock'))];
    const isHeld = lock?.tryTake('exclusive') && door?.tryTake('shared') && door.isCurrent();
    // A step that discards the directory makes it again while it has both locks.
    if (lock && door && isHeld && existsSync(path)) return [lock, door];
    for (const each of [lock, door]) each?.[Symbol.dispose]();
    if (isHeld || lock === undefined) return [];
    if (!waits) onWait();
    waits = true;
    return undefined;
  }, signal);
  if (locks.length === 0) return undefined;
  return {
    path,
    [Symbol.dispose]() {
      for (const lock of locks) lock[Symbol.dispose]();
    },
  };
}

/** Sets the time that tells a prune when the directory was last used, and whether its size is known. */
function noteUse(parent: string): void {
  writeFileSync(join(parent, 'used'), '');
}

function takeLock(lock: FileLock, { sharing, discard }: CacheRequest): boolean {
  return lock.tryTake(sharing === 'shared' && !discard ? 'shared' : 'exclusive');
}

async function prepare(
  path: string,
  lock: FileLock,
  { store, request }: { store: CacheStore; request: CacheRequest },
): Promise<CacheDirectory> {
  try {
    noteUse(dirname(path));
    if (request.discard) moveToTrash(store, path);
    if (!existsSync(path)) await fillWhole(path, request);
    if (request.sharing === 'shared') lock.tryTake('shared');
    return {
      path,
      [Symbol.dispose]() {
        using _lock = lock;
        // What the step has written counts from now on.
        if (existsSync(path)) noteUse(dirname(path));
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Fills a directory. Content that a killed process left incomplete is never used. */
async function fillWhole(path: string, { fill }: CacheRequest): Promise<void> {
  const temporary = `${path}.${randomBytes(16).toString('hex')}`;
  await fill(temporary);
  renameSync(temporary, path);
}
