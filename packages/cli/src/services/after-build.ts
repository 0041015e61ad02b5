import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import type { Services } from '@tbuild/builder';
import { pruneStore, sweepLeftovers } from '@tbuild/gc';
import { startProcess } from '@tbuild/linux';
import { listDirectory, needsSync, readBoot, type StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { parseSize } from '../flags/sizes.ts';

/**
 * Returns the cap on the build cache that `TBUILD_MAX_USED_SPACE` sets, in bytes.
 * @throws TbuildError USAGE
 */
export function maxUsedSpace({ variables }: Environment): number | undefined {
  const text = variables.TBUILD_MAX_USED_SPACE;
  return text === undefined || text === '' ? undefined : parseSize(text, 'TBUILD_MAX_USED_SPACE');
}

/**
 * Tidies the store after a build: applies the cap, removes leftovers of killed builds, syncs new files to the disk, and
 * empties the trash. Costs a build without such work only a few system calls.
 */
export async function tidyAfterBuild(services: Services, cap: number | undefined): Promise<void> {
  if (cap !== undefined) await pruneStore(services, { maxUsedSpace: cap });
  const { store } = services;
  sweepLeftovers(store, services.now());
  const trash = listDirectory(store.trash).slice(0, AT_ONCE);
  const boot = needsSync(store) ? readBoot() : undefined;
  if (boot !== undefined || trash.length > 0) tidyBehind(store, boot ?? '', trash);
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
