import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import { type FileLock, moveToTrash, openLock, waitFor, type StoreLayout } from '@tbuild/store';

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
  /** Called once if another step has to finish first. */
  onWait(): void;
}

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
  makeDirectory(parent, { mode: 0o700 });
  noteUse(parent);
  let waits = false;
  return waitFor(async () => {
    // While this lock is held, no other process acquires, fills or discards, so the initial content is made once.
    using door = openLock(join(parent, 'lock'));
    await waitFor(() => door.tryTake('exclusive') || undefined, signal);
    for (let number = 0; ; number++) {
      const path = join(parent, String(number));
      const lock = openLock(`${path}.lock`);
      if (takeLock(lock, request)) return await prepare(path, lock, { store, request });
      lock[Symbol.dispose]();
      if (request.sharing !== 'locked') continue;
      if (!waits) request.onWait();
      waits = true;
      return undefined;
    }
  }, signal);
}

/**
 * Holds the first directory of a cache mount while no step uses it: steps that want one wait until it is disposed, so that
 * they get this one. Undefined if there is none.
 */
export async function holdIdleCacheDirectory(
  store: Pick<CacheStore, 'cacheMount'>,
  { key, onWait }: Pick<CacheRequest, 'key' | 'onWait'>,
  signal: AbortSignal,
): Promise<CacheDirectory | undefined> {
  const parent = store.cacheMount(key);
  const path = join(parent, '0');
  if (!existsSync(path)) return undefined;
  let waits = false;
  const [door, lock] = await waitFor(() => {
    const locks = [openLock(join(parent, 'lock')), openLock(`${path}.lock`)] as const;
    if (locks.every((each) => each.tryTake('exclusive'))) return locks;
    for (const each of locks) each[Symbol.dispose]();
    if (!waits) onWait();
    waits = true;
    return undefined;
  }, signal);
  return {
    path,
    [Symbol.dispose]() {
      lock[Symbol.dispose]();
      door[Symbol.dispose]();
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
