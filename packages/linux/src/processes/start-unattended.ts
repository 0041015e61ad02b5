import { closeSync, openSync } from 'node:fs';
import { type StartOptions, startProcess } from './start-process.ts';

/**
 * Starts a program without input and output that may outlive this one, as {@link startProcess} does. Nobody waits for it.
 *
 * @throws Error like Node's file functions.
 */
export function startUnattended(path: string, args: readonly string[], { env }: Pick<StartOptions, 'env'>): void {
  const nothing = openSync('/dev/null', 'r+');
  try {
    startProcess(path, args, { env, descriptors: [nothing, nothing, nothing] });
  } finally {
    closeSync(nothing);
  }
}
