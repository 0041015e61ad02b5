import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UnpackGuard } from '@tbuild/diff';
import { withoutCredentials } from '@tbuild/errors';
import { runGit, type GitRemote } from './run-git.ts';

/** How often a fetch is looked at, in milliseconds. */
const LOOK = 100;

/**
 * Runs a fetch into the bare repository at `mirror`, and ends it when its packs grow beyond the limits of the remote.
 * @throws TbuildError SNAPSHOT; as `fetch`.
 */
export async function limitFetch<T>(
  mirror: string,
  remote: GitRemote,
  fetch: (remote: GitRemote) => Promise<T>,
): Promise<T> {
  let size = packSize(mirror);
  return limited(remote, async (ended, count) => {
    const look = (guard: UnpackGuard): void => {
      const now = packSize(mirror);
      guard.addBytes(Math.max(0, now - size));
      size = now;
    };
    const timer = setInterval(() => count(look), LOOK);
    return await fetch(ended).finally(() => clearInterval(timer));
  });
}

/**
 * Checks the files of a commit before they are written.
 * @throws TbuildError SNAPSHOT if they are more than the limits of the remote allow; as {@link runGit}.
 */
export async function checkFiles(commit: string, mirror: string, remote: GitRemote): Promise<void> {
  await limited(remote, async (ended, count) => {
    let rest = '';
    const output = (bytes: Uint8Array): void => {
      const entries = (rest + Buffer.from(bytes).toString('latin1')).split('\0');
      rest = entries.pop() ?? '';
      count((guard) => {
        for (const entry of entries) {
          guard.addEntry();
          guard.addBytes(Number(/^\d+ blob \w+ +(\d+)\t/.exec(entry)?.[1] ?? 0));
        }
      });
    };
    await runGit([`--git-dir=${mirror}`, 'ls-tree', '-r', '-t', '-l', '-z', commit], ended, { cwd: mirror, output });
  });
}

type Count = (add: (guard: UnpackGuard) => void) => void;

/** Ends what `run` does with a remote when a count is more than a limit allows. */
async function limited<T>(remote: GitRemote, run: (ended: GitRemote, count: Count) => Promise<T>): Promise<T> {
  const guard = new UnpackGuard(remote.limits, `repository ${JSON.stringify(withoutCredentials(remote.url))}`);
  const end = new AbortController();
  const count: Count = (add) => {
    try {
      if (!end.signal.aborted) add(guard);
    } catch (error) {
      end.abort(error);
    }
  };
  try {
    return await run({ ...remote, signal: AbortSignal.any([remote.signal, end.signal]) }, count);
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error;
  }
}

/** Returns the bytes of the packs of a repository, also of one that git is writing. */
function packSize(mirror: string): number {
  const directory = join(mirror, 'objects/pack');
  // Another build may still be making the repository.
  if (!existsSync(directory)) return 0;
  const sizes = readdirSync(directory).map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size);
  return sizes.reduce<number>((sum, size = 0) => sum + size, 0);
}
