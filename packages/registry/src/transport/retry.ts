import { isRepeatable, type HttpRequest, type HttpResponse, type Middleware, type Send } from '../http-message.ts';
import { isTransientStatus, RegistryError } from '../registry-error.ts';

/** The caller's clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * `reason` is shown to the waiting user.
   * @throws the signal's reason on abort.
   */
  sleep(milliseconds: number, signal?: AbortSignal, reason?: string): Promise<void>;
}

/** The number of attempts for each request. */
export const ATTEMPTS = 5;
const FIRST_DELAY = 250;
const LONGEST_DELAY = 60_000;

/**
 * Repeats requests after transient failures: a broken or refused connection, 408, 429 and most of 5xx. The delay grows,
 * or is that of `Retry-After`, but a {@link isTooFarOff} time fails at once. A streamed body is left to the caller, which
 * can open it again.
 */
export function retry(clock: Clock): Middleware {
  return (next) => (request) => (mayRepeat(request) ? attempt(next, request, clock) : next(request));
}

// Deletions only clean up and are not worth a delay.
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
      if (!(error instanceof RegistryError && error.transient) || count >= (error.attempts ?? ATTEMPTS)) throw error;
      await clock.sleep(retryDelay(count), request.signal);
    }
  }
}

/** Returns the delay before the next attempt after `count` of them, in milliseconds: at most a minute. */
export function retryDelay(count: number, retryAfter?: string, now = 0): number {
  const delay = askedDelay(retryAfter, now) ?? FIRST_DELAY * 2 ** (count - 1);
  return Math.min(Math.max(delay, 0), LONGEST_DELAY);
}

/** Returns whether no attempt is left after `count` of them, or `Retry-After` is later than the last one. */
export function isTooFarOff(count: number, retryAfter?: string, now = 0): boolean {
  return count >= ATTEMPTS || (askedDelay(retryAfter, now) ?? 0) > (ATTEMPTS - count) * LONGEST_DELAY;
}

/** Returns the delay of `Retry-After`, a number of seconds or a date, in milliseconds. */
export function askedDelay(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(asked) ? undefined : asked;
}
