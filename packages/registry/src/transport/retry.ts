import { isRepeatable, type HttpRequest, type HttpResponse, type Middleware, type Send } from '../http-message.ts';
import { isTransientStatus, RegistryError } from '../registry-error.ts';

/** Time, as the caller has it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** @throws the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** How often anything is tried. */
export const ATTEMPTS = 5;
const FIRST_DELAY = 250;
const LONGEST_DELAY = 60_000;

/**
 * Sends again what failed for a reason that passes: a broken connection, 408, 429 and most of 5xx. Waits
 * longer each time, or as long as `Retry-After` says. A streamed body is left to whoever can open it again.
 */
export function retry(clock: Clock): Middleware {
  return (next) => (request) => (mayRepeat(request) ? attempt(next, request, clock) : next(request));
}

// Deletions only tidy up: nobody should wait for them.
function mayRepeat(request: HttpRequest): boolean {
  return isRepeatable(request) && request.method !== 'DELETE';
}

async function attempt(next: Send, request: HttpRequest, clock: Clock): Promise<HttpResponse> {
  for (let count = 1; ; count += 1) {
    try {
      const response = await next(request);
      if (!isTransientStatus(response.status) || count === ATTEMPTS) return response;
      await response.discard();
      await clock.sleep(retryDelay(count, response.headers['retry-after'], clock.now()), request.signal);
    } catch (error) {
      if (!(error instanceof RegistryError && error.transient) || count === ATTEMPTS) throw error;
      await clock.sleep(retryDelay(count), request.signal);
    }
  }
}

/** How long to wait before the next attempt after `count` of them, in milliseconds. */
export function retryDelay(count: number, retryAfter?: string, now = 0): number {
  const asked =
    retryAfter === undefined
      ? Number.NaN
      : /^\d+$/.test(retryAfter)
        ? Number(retryAfter) * 1000
        : Date.parse(retryAfter) - now;
  const delay = Number.isNaN(asked) ? FIRST_DELAY * 2 ** (count - 1) : asked;
  return Math.min(Math.max(delay, 0), LONGEST_DELAY);
}
