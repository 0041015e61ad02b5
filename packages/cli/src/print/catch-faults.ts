import { EventEmitter } from 'node:events';
import type { Environment } from '../config/environment.ts';
import { exitAtOnce } from '../services/exit-at-once.ts';
import { exitCodeOf, formatError } from './report-error.ts';

export interface FaultOptions {
  /** Show stack traces, and what Node warns about. */
  readonly debug: boolean;
}

/**
 * Reports what no other code catches, as an error of the command, and keeps Node from printing anything itself: stack
 * traces with lines of the bundle, and warnings that are about this program's code.
 */
export function catchFaults(env: Environment, { debug }: FaultOptions): void {
  if (!debug) process.removeAllListeners('warning');
  // Each step listens to the one signal of its build, and there may be any number of steps.
  EventEmitter.defaultMaxListeners = 0;
  // Rejected promises that nobody waits for come here too.
  process.on('uncaughtException', (error) => void endWith(error, env, { debug }));
}

async function endWith(error: unknown, env: Environment, { debug }: FaultOptions): Promise<void> {
  try {
    env.stderr.write(await formatError(error, { debug, sourceOf: () => undefined }));
  } finally {
    exitAtOnce(exitCodeOf(error));
  }
}
