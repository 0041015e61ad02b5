import { readFileSync, type Stats } from 'node:fs';
import { startupSnapshot } from 'node:v8';
import { errnoName } from '@tbuild/errors';
import { effectiveCapabilities, lgetxattr, lsetxattr } from '@tbuild/linux';

/** The owner of a file in the tree, which may differ from its owner on this machine. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Records the owner of a file that this process may not chown: an ordinary user without subordinate ids has a single
 * id. Overlay copies the attribute up when a step changes the file. Symbolic links cannot have it and belong to root.
 */
const OWNER = 'user.tbuild.owner';

/** Sets the owner of a file with `chown`, or records it in an attribute. */
export function setOwner(location: string, owner: Owner, chown: () => void): void {
  if (ownsEverything()) return chown();
  if (!isOrdinaryUser()) {
    try {
      chown();
      if (lgetxattr(location, OWNER) === undefined) return;
    } catch (error) {
      if (errnoName(error) !== 'EINVAL' && errnoName(error) !== 'EPERM') throw error;
    }
  } else if (owner.uid === 0 && owner.gid === 0 && lgetxattr(location, OWNER) === undefined) return;
  try {
    lsetxattr(location, OWNER, Buffer.from(`${owner.uid}:${owner.gid}`));
  } catch (error) {
    // The kernel refuses user attributes on links and devices.
    if (errnoName(error) !== 'EPERM') throw error;
  }
}

/** Returns the owner of a file. Without a user namespace, the files of an ordinary user count as root's. */
export function readOwner(location: string, stats: Pick<Stats, 'uid' | 'gid'>): Owner {
  if (ownsEverything()) return stats;
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(lgetxattr(location, OWNER)?.toString() ?? '') ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  return isOrdinaryUser() ? { uid: 0, gid: 0 } : stats;
}

/** Returns the attributes with the owner in the tree instead of the owner on this machine. */
export function withOwner(location: string, stats: Stats): Stats {
  return ownsEverything() ? stats : Object.assign(stats, readOwner(location, stats));
}

/** Real root, also in a container, neither records owners nor looks for records. */
const ownsEverything = once(() => !isOrdinaryUser() && hasAllIds());

/** Remembers what holds as long as the process lives. A snapshot of the heap starts others, for which it may not hold. */
function once(compute: () => boolean): () => boolean {
  let known: boolean | undefined;
  return () => known ?? (startupSnapshot.isBuildingSnapshot() ? compute() : (known = compute()));
}

function hasAllIds(): boolean {
  try {
    return /^\s*0\s+0\s+4294967295$/m.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return true;
  }
}

function isOrdinaryUser(): boolean {
  return process.geteuid?.() !== 0 || recordsOwners();
}

/**
 * Returns whether this is root without the capabilities to give files away and to change them afterwards, as in a container
 * without capabilities: it records owners, as an ordinary user does.
 */
export const recordsOwners = once(() => process.geteuid?.() === 0 && !mayChangeOwners());

/** CAP_CHOWN and CAP_FOWNER. */
const CHANGES_OWNERS = (1n << 0n) | (1n << 3n);

function mayChangeOwners(): boolean {
  const capabilities = effectiveCapabilities() ?? CHANGES_OWNERS;
  return (capabilities & CHANGES_OWNERS) === CHANGES_OWNERS;
}
