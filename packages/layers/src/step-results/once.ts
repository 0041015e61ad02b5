import { getOrMake } from '@tbuild/concurrency';
import type { ResultId } from '@tbuild/graph';

/** Makes the value of a result once, however many callers ask for it at the same time. A failure is not kept. */
export function once<T>(
  memo: Map<ResultId, Promise<T>>,
  result: ResultId,
  make: (result: ResultId) => Promise<T>,
): Promise<T> {
  return getOrMake(memo, result, () => {
    const made = make(result);
    // Let the next caller try again.
    made.catch(() => memo.delete(result));
    return made;
  });
}
