import type { ResultId } from '@tbuild/graph';

/** Makes the value of a result once, however many callers ask for it at the same time. A failure is not kept. */
export function once<T>(
  memo: Map<ResultId, Promise<T>>,
  result: ResultId,
  make: (result: ResultId) => Promise<T>,
): Promise<T> {
  const known = memo.get(result);
  if (known !== undefined) return known;
  const made = make(result);
  memo.set(result, made);
  // Let the next caller try again.
  made.catch(() => memo.delete(result));
  return made;
}
