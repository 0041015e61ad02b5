import { hasCode, TbuildError } from '@tbuild/errors';
import { parseSpan } from '../flags/sizes.ts';

/** The limit of `--timeout`, in milliseconds and as it was written. */
export interface TimeLimit {
  readonly milliseconds: number;
  readonly text: string;
}

/** The longest delay of a timer; a longer one fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Reads the value of `--timeout`.
 * @throws TbuildError USAGE
 */
export function parseTimeLimit(text: string | undefined): TimeLimit | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseSpan(text, '--timeout');
  if (milliseconds > 0 && milliseconds <= LONGEST_MS) return { milliseconds, text };
  throw new TbuildError('USAGE', `Invalid --timeout ${JSON.stringify(text)}: expected 1ms to 24d`);
}

/**
 * Aborts work that takes longer; the error points to the step that was interrupted.
 * @throws TbuildError TIMED_OUT when the time is up.
 */
export async function withTimeLimit<T>(
  limit: TimeLimit | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limit === undefined) return work(signal);
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(outOfTime()), limit.milliseconds);
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } catch (error) {
    if (!controller.signal.aborted || signal.aborted || !hasCode(error, 'CANCELLED')) throw error;
    throw new TbuildError('TIMED_OUT', `The build took longer than --timeout allows: ${limit.text}`, {
      hint: 'Build again to continue: finished steps are cached',
      location: error.location,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

function outOfTime(): TbuildError {
  return new TbuildError('CANCELLED', 'The build reached its time limit');
}
