import { chmodSync, existsSync, readdirSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { StoreLayout } from './layout.ts';

/** The permissions of users other than the owner. */
const OTHERS = 0o077;

/**
 * Closes the store's directory, whose `stats` are given, to all users except its owner, or sets the permissions in `shared`. Leaves a
 * directory alone if this process cannot change its permissions.
 *
 * @throws TbuildError USAGE when the directory is open to other users and holds other files than a store.
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
    // Another owner, or a read-only file system: tbuild doctor reports it.
  }
}

/** Reports whether users other than its owner may use a directory. */
export function isOpenToOthers({ mode }: Pick<Stats, 'mode'>): boolean {
  return (mode & OTHERS) !== 0;
}

/** Reports whether the directory is a store or empty, so that no other program needs it. */
function isStore({ root, activeSnapshots, format, leases, run, temporary }: StoreLayout): boolean {
  // A build makes them before the first snapshot, and mkfs makes the last.
  const first = [...[format, leases, run, temporary].map((path) => basename(path)), 'lost+found'];
  return existsSync(activeSnapshots) || readdirSync(root).every((name) => first.includes(name));
}
