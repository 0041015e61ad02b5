import { chmodSync, existsSync, readdirSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { StoreLayout } from './layout.ts';

/** What others than the owner may do with a file. */
const OTHERS = 0o077;

/**
 * Closes the store's directory, whose `stats` are given, to all but its owner, or gives it the permissions in `shared`. It leaves
 * a directory alone whose permissions it cannot change, because it belongs to somebody else or cannot be written to.
 * @throws TbuildError USAGE when the directory is open to others and holds what is no part of a store.
 */
export function protectStore(store: StoreLayout, stats: Stats, shared?: number): void {
  const mode = shared ?? stats.mode & 0o7777 & ~OTHERS;
  if ((stats.mode & 0o7777) === mode) return;
  const { root } = store;
  if (!isStore(store)) {
    throw new TbuildError('USAGE', `Directory ${JSON.stringify(root)} cannot be the store: it holds other files`, {
      hint: `Name a directory of its own, such as ${JSON.stringify(join(root, 'tbuild'))}`,
    });
  }
  try {
    chmodSync(root, mode);
  } catch {
    // Not the owner's call, or a read-only file system: tbuild doctor reports it.
  }
}

/** Reports whether others than its owner may use a directory. */
export function isOpenToOthers({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & OTHERS) !== 0;
}

/** Reports whether nothing that other programs need to reach lies in the directory: it is a store already, or empty. */
function isStore({ root, activeSnapshots, format, leases, run }: StoreLayout): boolean {
  // What a build makes before the first snapshot, and mkfs.
  const first = [basename(format), basename(leases), basename(run), 'lost+found'];
  return existsSync(activeSnapshots) || readdirSync(root).every((name) => first.includes(name));
}
