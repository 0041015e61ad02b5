import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { UnpackGuard } from '@tbuild/diff';
import { withoutCredentials } from '@tbuild/errors';
import { listDirectory } from '@tbuild/store';
import { runGit, type GitRemote } from './run-git.ts';

/** How often growth is looked at, in milliseconds; less often where a look takes long. */
const LOOK = 100;
const LEAST_PAUSES = 10;

/**
 * Runs git, and ends it when the files below a directory grow beyond the limits of the remote.
 * @throws TbuildError SNAPSHOT; as `run`.
 */
export async function limitGrowth<T>(
  directory: string,
  remote: GitRemote,
  run: (remote: GitRemote) => Promise<T>,
): Promise<T> {
  let size = sizeOf(directory);
  return limited(remote, async (ended, count) => {
    const look = (guard: UnpackGuard): void => {
      const now = sizeOf(directory);
      guard.addBytes(Math.max(0, now - size));
      size = now;
    };
    let timer: NodeJS.Timeout;
    const lookLater = (pause: number): void => {
      timer = setTimeout(() => {
        const began = performance.now();
        count(look);
        lookLater(Math.max(LOOK, LEAST_PAUSES * (performance.now() - began)));
      }, pause);
    };
    lookLater(LOOK);
    const result = await run(ended).finally(() => clearTimeout(timer));
    count(look);
    return result;
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
    const result = await run({ ...remote, signal: AbortSignal.any([remote.signal, end.signal]) }, count);
    end.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error;
  }
}

/** Returns the bytes of a file, or of all files below a directory, which git may be changing. */
function sizeOf(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.size ?? 0;
  return listDirectory(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
