import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import type { Services } from '@tbuild/builder';
import { type PruneOptions, pruneStore, sweepLeftovers } from '@tbuild/gc';
import { startProcess } from '@tbuild/linux';
import { listDirectory, needsSync, readBoot, spaceOf, type StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { parseSize } from '../flags/sizes.ts';

/** The limits of the build cache, in bytes. */
export type CacheLimits = Pick<PruneOptions, 'maxUsedSpace' | 'minFreeSpace' | 'reservedSpace'>;

/**
 * Returns the limits of the build cache that environment variables set.
 * @throws TbuildError USAGE
 */
export function cacheLimits({ variables }: Environment): CacheLimits {
  const sizeOf = (name: string): number | undefined =>
    (variables[name] ?? '') === '' ? undefined : parseSize(variables[name] ?? '', name);
  return {
    maxUsedSpace: sizeOf('TBUILD_MAX_USED_SPACE'),
    minFreeSpace: sizeOf('TBUILD_MIN_FREE_SPACE'),
    reservedSpace: sizeOf('TBUILD_RESERVED_SPACE'),
  };
}

/** By default a tenth of the disk stays free, at most 20 GB, for which the cache shrinks to 2 GB. */
const DEFAULT = { freeShare: 0.1, mostFree: 20e9, reserved: 2e9 };

/**
 * Tidies the store after a build: applies the limits, removes leftovers of killed builds, syncs new files to the disk, and
 * empties the trash. Costs a build without such work only a few system calls.
 */
export async function tidyAfterBuild(services: Services, limits: CacheLimits): Promise<void> {
  const { store } = services;
  await applyLimits(services, limits);
  sweepLeftovers(store, services.now());
  const trash = listDirectory(store.trash).slice(0, AT_ONCE);
  const boot = needsSync(store) ? readBoot() : undefined;
  if (boot !== undefined || trash.length > 0) tidyBehind(store, boot ?? '', trash);
}

/** Measures the cache, which reads the whole store, only if it may be too large. */
async function applyLimits(services: Services, limits: CacheLimits): Promise<void> {
  const { free, total } = spaceOf(services.store);
  const { minFreeSpace = Math.min(total * DEFAULT.freeShare, DEFAULT.mostFree), reservedSpace = DEFAULT.reserved } =
    limits;
  if (limits.maxUsedSpace !== undefined || free < minFreeSpace)
    await pruneStore(services, { maxUsedSpace: limits.maxUsedSpace, minFreeSpace, reservedSpace });
}

/** The marker's time is the start of the sync; it gets its name when the sync has ended. */
const TIDY = `cd "$1" || exit
if [ "$2" ] && printf '%s\\n' "$2" > "$3.$$"; then
  if sync -f . && [ -e "$3" ]; then mv -f "$3.$$" "$3"; else rm -f "$3.$$"; fi
fi
shift 3 && [ $# -gt 1 ] && cd "$1" && shift && rm -rf -- "$@"
`;

/** How many fit into one argument list with ease; the rest is left for the next build. */
const AT_ONCE = 1000;

/** Starts a process that outlives this one; nobody waits for it. */
function tidyBehind({ root, syncMarker, trash: place }: StoreLayout, boot: string, trash: readonly string[]): void {
  const nothing = openSync('/dev/null', 'r+');
  try {
    const args = ['-c', TIDY, 'tidy', root, boot, basename(syncMarker), place, ...trash];
    const { PATH = '/usr/bin:/bin' } = process.env;
    startProcess('/bin/sh', args, { env: { PATH }, descriptors: [nothing, nothing, nothing] });
  } catch {
    // A later build does the rest.
  } finally {
    closeSync(nothing);
  }
}
