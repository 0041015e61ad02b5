import { spawn } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { startupSnapshot } from 'node:v8';
import type { Services } from '@tbuild/builder';
import { errnoName } from '@tbuild/errors';
import { type CacheLimits, mayExceed, sweepLeftovers, withDefaultLimits } from '@tbuild/gc/after-build';
import { isLibraryLoaded, shellQuoted, startUnattended } from '@tbuild/linux';
import type { OverlayFlavour } from '@tbuild/snapshot';
import { listDirectory, needsSync, readBoot, spaceOf, type StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { parseSize } from '../flags/sizes.ts';
import { partCommand } from '../startup/executable.ts';
import type { CapJob } from './cap-job.ts';

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

/**
 * Tidies the store after a build: removes leftovers of killed builds. A process that nobody waits for syncs new files to the
 * disk, empties the trash, and keeps the cache within its limits. Costs a build without such work only a few system calls.
 * A fault of the disk does not fail the build, which has ended: a later one does the rest.
 */
export function tidyAfterBuild(services: Services, limits: CacheLimits): void {
  try {
    tidy(services, limits);
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
}

function tidy({ store, flavour, now }: Services, limits: CacheLimits): void {
  sweepLeftovers(store, now());
  const trash = listDirectory(store.trash).slice(0, AT_ONCE);
  const hasNew = needsSync(store);
  const boot = hasNew ? readBoot() : undefined;
  const keeping = keepingCommand(store, { limits, flavour, hasNew });
  if (boot !== undefined || trash.length > 0 || keeping.length > 0) tidyBehind(store, { boot, trash, keeping });
}

interface Keeping {
  readonly limits: CacheLimits;
  readonly flavour: OverlayFlavour;
  readonly hasNew: boolean;
}

/** Returns the command that keeps the cache within its limits; none where the cache cannot exceed them, or has not grown. */
function keepingCommand({ root }: StoreLayout, { limits, flavour, hasNew }: Keeping): readonly string[] {
  const space = spaceOf({ root });
  const all = withDefaultLimits(limits, space);
  const hasGrown = hasNew || limits.maxUsedSpace !== undefined || space.free < all.minFreeSpace;
  if (!hasGrown || !mayExceed(all, space)) return [];
  const script = join(dirname(import.meta.url), 'cap-process.cjs');
  return [...partCommand(script, []), JSON.stringify({ root, flavour, limits: all } satisfies CapJob)];
}

/** The marker's time is the start of the sync; it gets its name when the sync has ended. */
const TIDY = `cd "$1" || exit
if [ "$2" ] && printf '%s\\n' "$2" > "$3.$$"; then
  if sync -f . && [ -e "$3" ]; then mv -f "$3.$$" "$3"; else rm -f "$3.$$"; fi
fi
place=$4 next=$5
shift 5
[ $# -eq 0 ] || (cd "$place" && exec rm -rf -- "$@")
[ -z "$next" ] || eval "exec nice $next"
`;

/** How many fit into one argument list with ease; the rest is left for the next build. */
const AT_ONCE = 1000;

interface Work {
  readonly boot: string | undefined;
  readonly trash: readonly string[];
  readonly keeping: readonly string[];
}

/**
 * Starts a process that outlives this one; nobody waits for it. Not while a snapshot is made: it cannot hold a process. Node's spawn
 * copies page tables, for 2 ms. Loading the native module that starts processes without that would take longer than it saves.
 */
function tidyBehind({ root, syncMarker, trash: place }: StoreLayout, { boot = '', trash, keeping }: Work): void {
  if (startupSnapshot.isBuildingSnapshot()) return;
  const next = keeping.map((word) => shellQuoted(word)).join(' ');
  const args = ['-c', TIDY, 'tidy', root, boot, basename(syncMarker), place, next, ...trash];
  const { PATH = '/usr/bin:/bin' } = process.env;
  if (isLibraryLoaded()) return startUnattended('/bin/sh', args, { env: { PATH } });
  const child = spawn('/bin/sh', args, { env: { PATH }, stdio: 'ignore', detached: true });
  // A later build does the rest.
  child.on('error', () => {});
  child.unref();
}
