import { type Space, spaceOf, type StoreLayout } from '@tbuild/store';

/** The limits of the build cache, in bytes. Images that have a name do not count. */
export interface CacheLimits {
  /** The most that the cache may hold. */
  readonly maxUsedSpace?: number;
  /** What the file system of the store has to have free. */
  readonly minFreeSpace?: number;
  /** How much of the cache stays even if the disk is full. */
  readonly reservedSpace?: number;
}

/** Shares of the disk, and what no share exceeds. BuildKit has the same, but wants a fifth of any disk free. */
const DEFAULTS = {
  maxUsedSpace: { share: 0.8, most: 100e9 },
  minFreeSpace: { share: 0.1, most: 20e9 },
  reservedSpace: { share: 0.1, most: 10e9 },
};

/** Adds the limits that hold by default on a disk of this size. */
export function withDefaultLimits(limits: CacheLimits, { total }: Pick<Space, 'total'>): Required<CacheLimits> {
  const limitOf = (name: keyof CacheLimits): number =>
    limits[name] ?? Math.min(DEFAULTS[name].share * total, DEFAULTS[name].most);
  return {
    maxUsedSpace: limitOf('maxUsedSpace'),
    minFreeSpace: limitOf('minFreeSpace'),
    reservedSpace: limitOf('reservedSpace'),
  };
}

/** Reports whether there is a limit that may ask for a removal. */
export function isLimited({ maxUsedSpace, minFreeSpace }: CacheLimits): boolean {
  return maxUsedSpace !== undefined || minFreeSpace !== undefined;
}

/** Reports whether a cache may exceed its limits. Looks only at the room of the file system, which no cache exceeds. */
export function mayExceed({ maxUsedSpace, minFreeSpace }: Required<CacheLimits>, { used, free }: Space): boolean {
  return used > maxUsedSpace || free < minFreeSpace;
}

/** Returns how many bytes of a cache have to go for its limits. None have to when that is not above zero. */
export function bytesOver(
  used: number,
  { maxUsedSpace = Infinity, minFreeSpace = 0, reservedSpace = 0 }: CacheLimits,
  store: StoreLayout,
): number {
  const overFree = Math.min(minFreeSpace - spaceOf(store).free, used - reservedSpace);
  return Math.max(used - maxUsedSpace, overFree);
}
