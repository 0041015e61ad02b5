import { readFileSync, type Stats } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { lgetxattr, lsetxattr } from '@tbuild/linux';

/** Whose a file is in the tree, which is not always who owns it on this machine. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Remembers the owner of a file that this process may not give away: an ordinary user without subordinate ids has
 * one id. Overlay carries it along when a step changes the file. Symbolic links can have none and stay root's.
 */
const OWNER = 'user.tbuild.owner';

/** Gives a file its owner by `chown`, or remembers it. */
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
    // The kernel's refusal for links and devices.
    if (errnoName(error) !== 'EPERM') throw error;
  }
}

/** Whose a file is. What an ordinary user without any namespace owns is root's, as it would be in one. */
export function readOwner(location: string, stats: Pick<Stats, 'uid' | 'gid'>): Owner {
  if (ownsEverything()) return stats;
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(lgetxattr(location, OWNER)?.toString() ?? '') ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  return isOrdinaryUser() ? { uid: 0, gid: 0 } : stats;
}

/** The attributes with the file's owner in the tree in place of that on this machine. */
export function withOwner(location: string, stats: Stats): Stats {
  return ownsEverything() ? stats : Object.assign(stats, readOwner(location, stats));
}

let everything: boolean | undefined;

/** The machine's root, also that of a container, needs no notes of owners and does not look for any. */
function ownsEverything(): boolean {
  return (everything ??= !isOrdinaryUser() && hasAllIds());
}

function hasAllIds(): boolean {
  try {
    return /^\s*0\s+0\s+4294967295$/m.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return true;
  }
}

function isOrdinaryUser(): boolean {
  return process.geteuid?.() !== 0;
}
