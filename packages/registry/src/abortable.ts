/**
 * Waits for work that others may wait for too: an abort ends the wait, not the work.
 * @throws the signal's reason when aborted, and what the work throws.
 */
export async function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  // Whoever stops waiting has no use for how the work fails.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = deferred();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function deferred(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<never>((_, fail) => (reject = fail));
  return { promise, reject };
}
