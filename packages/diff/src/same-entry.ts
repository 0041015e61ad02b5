import { readlinkSync, type Stats } from 'node:fs';
import { lgetxattr, sameBytes } from '@tbuild/linux';
import type { LayeredEntry } from '@tbuild/snapshot';

/** The one extended attribute that layers carry. */
export const CAPABILITY = 'security.capability';

/** An entry that may say nothing new about what lies below it. */
export interface UpperEntry {
  readonly stats: Pick<Stats, 'mode' | 'uid' | 'gid' | 'rdev' | 'size' | 'mtimeMs'>;
  /** Where the bytes of a file are. */
  readonly location: string;
  readCapability(): Uint8Array | undefined;
  readTarget(): string;
}

/** What a directory of changes has, as {@link repeatsLower} takes it. */
export function upperEntry({ location, stats }: LayeredEntry): UpperEntry {
  return {
    stats,
    location,
    readCapability: () => lgetxattr(location, CAPABILITY),
    readTarget: () => readlinkSync(location),
  };
}

/**
 * Whether the upper entry says nothing new: same type, mode, owner, device and capability and, unless it is a
 * directory, same size and time. Times without a fraction may have been cut by an archive; then the content
 * decides.
 */
export function repeatsLower(lower: LayeredEntry, upper: UpperEntry): boolean {
  const [a, b] = [lower.stats, upper.stats];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  if (!sameCapability(lgetxattr(lower.location, CAPABILITY), upper.readCapability())) return false;
  if (a.isDirectory()) return true;
  if (a.size !== b.size || a.mtimeMs !== b.mtimeMs) return false;
  if (a.mtimeMs % 1000 !== 0) return true;
  if (a.isSymbolicLink()) return readlinkSync(lower.location) === upper.readTarget();
  return !a.isFile() || a.size === 0 || sameBytes(lower.location, upper.location);
}

function sameCapability(first: Uint8Array | undefined, second: Uint8Array | undefined): boolean {
  return first === undefined || second === undefined ? first === second : Buffer.compare(first, second) === 0;
}
