import { TbuildError } from '@tbuild/errors';
import { exitAtOnce } from './exit-at-once.ts';

/**
 * Runs work that Ctrl-C and SIGTERM cancel. The first signal aborts and lets the work clean up; a second one ends the
 * process at once.
 * @throws TbuildError CANCELLED after a signal, whatever the work threw.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  message = 'Build was cancelled',
): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) exitAtOnce(130);
    controller.abort(new TbuildError('CANCELLED', message));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work(controller.signal);
  } catch (cause) {
    throw controller.signal.aborted ? new TbuildError('CANCELLED', message, { cause }) : cause;
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}
