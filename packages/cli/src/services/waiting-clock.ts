import { setTimeout as sleep } from 'node:timers/promises';
import { track } from '@tbuild/builder';
import type { Progress } from '@tbuild/progress';
import type { Clock } from '@tbuild/registry';

/** Shows a long wait while it lasts. */
export type ShowWait = (title: string, wait: () => Promise<void>) => Promise<void>;

/** Waits shorter than this many milliseconds are not shown. */
const SHOWN_FROM = 2000;

/** Returns the machine's clock, which shows waits that servers ask for. */
export function waitingClock(showWait: ShowWait): Clock {
  return {
    now: () => Date.now(),
    async sleep(milliseconds, signal, reason) {
      const wait = async (): Promise<void> => {
        await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
          signal?.throwIfAborted();
          throw error;
        });
      };
      if (reason === undefined || milliseconds < SHOWN_FROM) return wait();
      const seconds = Math.round(milliseconds / 1000);
      await showWait(`[internal] ${reason}: waiting ${seconds}s before asking again`, wait);
    },
  };
}

/** Shows each wait of a build as a step of its own. */
export function waitAsStep(progress: Progress): ShowWait {
  let count = 0;
  return (title, wait) => track({ progress, now: Date.now, step: `wait ${(count += 1)}` }, title, wait);
}
