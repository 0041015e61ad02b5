import { EventEmitter } from 'node:events';
import type { Environment } from '../config/environment.ts';
import { exitAtOnce } from '../services/exit-at-once.ts';
import { exitCodeOf, formatError } from './report-error.ts';

export interface FaultOptions {
  /** Show stack traces and Node's warnings. */
  readonly debug: boolean;
}

/**
 * Reports errors that no other code catches as errors of the command. Keeps Node from printing stack traces of the
 * bundle, and warnings about this program's code.
 */
export function catchFaults(env: Environment, { debug }: FaultOptions): void {
  if (!debug) process.removeAllListeners('warning');
  // Each step listens to the one signal of its build, and there may be any number of steps.
  EventEmitter.defaultMaxListeners = 0;
  // Unhandled rejections arrive here too.
  process.on('uncaughtException', (error) => void endWith(error, env, { debug }));
}

async function endWith(error: unknown, env: Environment, { debug }: FaultOptions): Promise<void> {
  try {
    env.stderr.write(await formatError(error, { debug, sourceOf: () => undefined }));
  } finally {
    exitAtOnce(exitCodeOf(error));
  }
}
