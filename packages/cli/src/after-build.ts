import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pruneStore, type Worker } from '@tbuild/builder';
import type { Environment } from './environment.ts';
import { parseSize } from './sizes.ts';

/** The cap on the build cache that `TBUILD_MAX_USED_SPACE` sets, in bytes. @throws TbuildError USAGE */
export function maxUsedSpace({ variables }: Environment): number | undefined {
  const text = variables.TBUILD_MAX_USED_SPACE;
  return text === undefined || text === '' ? undefined : parseSize(text, 'TBUILD_MAX_USED_SPACE');
}

/** Tidies when a build has ended: keeps the cap, and empties the trash. A build that threw nothing away pays one look. */
export async function tidyAfterBuild(worker: Worker, cap: number | undefined): Promise<void> {
  if (cap !== undefined) await pruneStore(worker, { maxUsedSpace: cap });
  emptyTrashBehind(worker.root);
}

/** As many as fit into one argument list by far; the rest is for the next time. */
const AT_ONCE = 1000;

/** Deleting is left to a process that outlives this one: nobody waits for it. */
function emptyTrashBehind(root: string): void {
  const trash = join(root, 'trash');
  const names = namesIn(trash).slice(0, AT_ONCE);
  if (names.length === 0) return;
  const child = spawn('rm', ['-rf', '--', ...names], { cwd: trash, stdio: 'ignore', detached: true });
  // What is not deleted now stays in the trash until a prune.
  child.on('error', () => {});
  child.unref();
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
