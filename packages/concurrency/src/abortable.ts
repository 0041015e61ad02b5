/**
 * Waits for shared work. An abort ends the wait, not the work.
 * @throws the signal's reason on abort, or the error of the work.
 */
export async function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  // After an abort nobody handles the failure of the work.
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
