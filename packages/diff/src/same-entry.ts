import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { lgetxattr } from '@tbuild/linux';
import type { LayeredEntry } from '@tbuild/snapshot';

/** The one extended attribute that layers carry. */
export const CAPABILITY = 'security.capability';

/**
 * Whether the upper entry says nothing new: same type, mode, owner, device and capability and, unless it is a
 * directory, same size and time. Times without a fraction may have been cut by an archive; then the content
 * decides.
 */
export function sameEntry(lower: LayeredEntry, upper: LayeredEntry): boolean {
  const [a, b] = [lower.stats, upper.stats];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  if (!sameCapability(lower.location, upper.location)) return false;
  if (a.isDirectory()) return true;
  if (a.size !== b.size || a.mtimeMs !== b.mtimeMs) return false;
  if (a.mtimeMs % 1000 !== 0) return true;
  if (a.isSymbolicLink()) return readlinkSync(lower.location) === readlinkSync(upper.location);
  return !a.isFile() || a.size === 0 || sameBytes(lower.location, upper.location);
}

function sameCapability(a: string, b: string): boolean {
  const [first, second] = [lgetxattr(a, CAPABILITY), lgetxattr(b, CAPABILITY)];
  return first === undefined || second === undefined ? first === second : first.equals(second);
}

const CHUNK = 256 * 1024;

function sameBytes(a: string, b: string): boolean {
  const [first, second] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    const [left, right] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const [m, n] = [readSync(first, left, 0, CHUNK, null), readSync(second, right, 0, CHUNK, null)];
      if (m !== n || !left.subarray(0, m).equals(right.subarray(0, n))) return false;
      if (m === 0) return true;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}
