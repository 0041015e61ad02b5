import { readlinkSync, type Stats } from 'node:fs';
import { lgetxattr, sameBytes } from '@tbuild/linux';
import type { LayeredEntry } from '@tbuild/snapshot';

/** The only extended attribute that layers contain. */
export const CAPABILITY = 'security.capability';

/** An entry to compare with the one below it. */
export interface UpperEntry {
  readonly stats: Pick<Stats, 'mode' | 'uid' | 'gid' | 'rdev' | 'size' | 'mtimeMs'>;
  /** The path of the file that holds its bytes. */
  readonly location: string;
  readCapability(): Uint8Array | undefined;
  readTarget(): string;
}

/** Returns an entry of a directory of changes in the form that {@link equalsLower} takes. */
export function upperEntry({ location, stats }: LayeredEntry): UpperEntry {
  return {
    stats,
    location,
    readCapability: () => lgetxattr(location, CAPABILITY),
    readTarget: () => readlinkSync(location),
  };
}

/**
 * Returns whether the upper entry changes nothing: it has the same type, mode, owner, device and capability and,
 * unless it is a directory, the same size and time. An archive may have cut times without a fraction; then the
 * content decides.
 */
export function equalsLower(lower: LayeredEntry, upper: UpperEntry): boolean {
  const [a, b] = [lower.stats, upper.stats];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  const capability = lower.location === '' ? undefined : lgetxattr(lower.location, CAPABILITY);
  if (!sameCapability(capability, upper.readCapability())) return false;
  if (a.isDirectory()) return true;
  if (a.size !== b.size || a.mtimeMs !== b.mtimeMs) return false;
  if (a.mtimeMs % 1000 !== 0) return true;
  if (a.isSymbolicLink()) return readlinkSync(lower.location) === upper.readTarget();
  return !a.isFile() || a.size === 0 || sameBytes(lower.location, upper.location);
}

function sameCapability(first: Uint8Array | undefined, second: Uint8Array | undefined): boolean {
  return first === undefined || second === undefined ? first === second : Buffer.compare(first, second) === 0;
}
