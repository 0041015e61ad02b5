import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import { readText } from './atomic-file.ts';
import { openLock, waitFor } from './file-lock.ts';

export interface TurnOptions {
  readonly signal: AbortSignal;
  /** Called once if another process has the turn, with its process id. */
  onWait(holder: string): void;
}

/**
 * Waits until nobody else has the turn that the file at `path` stands for, and has it until it is disposed. The kernel
 * ends the turn of a killed process.
 *
 * @throws TbuildError CANCELLED on abort.
 */
export async function takeTurn(path: string, { signal, onWait }: TurnOptions): Promise<Disposable> {
  makeDirectory(dirname(path));
  let holder = '';
  const lock = await waitFor(() => {
    const opened = openLock(path);
    const isTaken = opened.tryTake('exclusive');
    // The last holder removes the file, so a lock on it may be one that nobody else sees.
    if (isTaken && opened.isCurrent()) return opened;
    opened[Symbol.dispose]();
    // A new holder has not written its id yet.
    if (!isTaken && holder === '' && (holder = readText(path) ?? '') !== '') onWait(holder);
    return undefined;
  }, signal);
  writeFileSync(path, String(process.pid));
  return {
    [Symbol.dispose]() {
      rmSync(path, { force: true });
      lock[Symbol.dispose]();
    },
  };
}
