import type { ProgressEvent } from './event.ts';
import type { Progress } from './progress.ts';

/** A sink on one side, an async iterable on the other. `close` ends the iteration after the queued events. */
export interface ProgressChannel extends Progress, AsyncIterable<ProgressEvent> {
  close(): void;
}

/**
 * Creates a channel for one reader. Drops nothing but unread `transfer` events of a step and item that a newer one
 * replaces, so that a slow display cannot fall behind a fast network.
 */
export function createChannel(): ProgressChannel {
  let queue: ProgressEvent[] = [];
  let transfers = new Map<string, number>();
  let closed = false;
  let wake: (() => void) | undefined;

  const emit = (event: ProgressEvent): void => {
    if (closed) return;
    if (event.type === 'transfer') {
      const key = `${event.step}\0${event.item}`;
      const unread = transfers.get(key);
      if (unread !== undefined) {
        queue[unread] = event;
        return;
      }
      transfers.set(key, queue.length);
    }
    queue.push(event);
    wake?.();
  };

  async function* read(): AsyncGenerator<ProgressEvent> {
    for (;;) {
      const batch = queue;
      [queue, transfers] = [[], new Map()];
      yield* batch;
      if (queue.length > 0) continue;
      if (closed) return;
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
  }

  return {
    emit,
    close() {
      closed = true;
      wake?.();
    },
    [Symbol.asyncIterator]: read,
  };
}
