import { RegistryError } from '../registry-error.ts';

/** How long to wait for a server. */
export interface WaitLimits {
  /** The time without data before a timeout, in milliseconds; ten times as long after an upload, which the registry verifies. */
  readonly idleTimeoutMs?: number;
  readonly leastRate?: LeastRate;
}

/** How fast the bytes of an answer have to come. */
export interface LeastRate {
  /** 0 allows any rate. */
  readonly bytesPerSecond: number;
  /** How long an answer may be slower, in milliseconds. */
  readonly overMs: number;
}

/** Slower than any line that could still download an image. */
const DEFAULT: LeastRate = { bytesPerSecond: 1024, overMs: 30_000 };
/** So many pauses make a server slow. Less is up to the limit for silence, since some servers compute before they send. */
const LEAST_PAUSES = 3;

interface Measured {
  readonly url: URL;
  /** The name of the other side in errors. */
  readonly peer?: string;
  readonly leastRate?: LeastRate;
  now(): number;
}

/**
 * Passes the bytes of an answer. Only the time in which its reader waits for bytes counts, so a slow reader is no slow
 * server.
 * @throws RegistryError, which is transient, when too few bytes come.
 */
export async function* requireRate(
  source: AsyncIterable<Uint8Array>,
  { url, peer = 'Registry', leastRate: { bytesPerSecond, overMs } = DEFAULT, now }: Measured,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [bytes, waited, counted, since] = [0, 0, 0, now()];
  for await (const chunk of source) {
    const pause = now() - since;
    bytes += chunk.length;
    waited += pause;
    counted += Math.min(pause, overMs / LEAST_PAUSES);
    yield chunk;
    if (counted >= overMs) {
      if (bytes * 1000 < bytesPerSecond * counted) {
        const seconds = Math.round(waited / 1000);
        throw new RegistryError('REGISTRY', `${peer} ${url.host} sent ${bytes} bytes in ${seconds} s`, {
          url,
          transient: true,
          hint: `Check the network of this machine, or allow less than ${bytesPerSecond} bytes a second with --min-download-rate`,
        });
      }
      [bytes, waited, counted] = [0, 0, 0];
    }
    since = now();
  }
}
