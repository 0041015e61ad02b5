import { isRepeatable, type HttpRequest, type HttpResponse, type Middleware, type Send } from '../http-message.ts';
import { isTransientStatus, RegistryError } from '../registry-error.ts';

/** Time, as the caller has it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * `reason` says why, for people who wait too.
   * @throws the signal's reason when aborted.
   */
  sleep(milliseconds: number, signal?: AbortSignal, reason?: string): Promise<void>;
}

/** How often anything is tried. */
export const ATTEMPTS = 5;
const FIRST_DELAY = 250;
const LONGEST_DELAY = 60_000;

/**
 * Sends again what failed for a reason that passes: a broken connection, 408, 429 and most of 5xx. Waits
 * longer each time, or as long as `Retry-After` says, but never for an answer that {@link isTooFarOff}. A streamed
 * body is left to whoever can open it again.
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
      const retryAfter = response.headers['retry-after'];
      if (!isTransientStatus(response.status) || isTooFarOff(count, retryAfter, clock.now())) return response;
      await response.discard();
      const delay = retryDelay(count, retryAfter, clock.now());
      await clock.sleep(delay, request.signal, `${request.url.host} answered ${response.status}`);
    } catch (error) {
      if (!(error instanceof RegistryError && error.transient) || count === ATTEMPTS) throw error;
      await clock.sleep(retryDelay(count), request.signal);
    }
  }
}

/** How long to wait before the next attempt after `count` of them, in milliseconds: at most a minute. */
export function retryDelay(count: number, retryAfter?: string, now = 0): number {
  const delay = askedDelay(retryAfter, now) ?? FIRST_DELAY * 2 ** (count - 1);
  return Math.min(Math.max(delay, 0), LONGEST_DELAY);
}

/** Whether no attempt is left after `count` of them, or `Retry-After` names a time after the last one. */
export function isTooFarOff(count: number, retryAfter?: string, now = 0): boolean {
  return count >= ATTEMPTS || (askedDelay(retryAfter, now) ?? 0) > (ATTEMPTS - count) * LONGEST_DELAY;
}

/** What `Retry-After` asks for, in milliseconds: it is a number of seconds or a date. */
export function askedDelay(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(asked) ? undefined : asked;
}
