import { readAll } from '@tbuild/content';
import type { WebClient } from '@tbuild/registry';

/** A request of a vendor's library for credentials. */
export interface WholeRequest {
  /** Credentials are asked for with GET and POST. */
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Milliseconds; none without. */
  readonly timeout?: number;
}

export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * Sends a small request through our client, which knows the proxies and the added certificates. Those of vendors do not.
 * @throws RegistryError without an answer, or when the time is up.
 */
export async function sendWhole(web: Pick<WebClient, 'send'>, request: WholeRequest): Promise<WholeAnswer> {
  const { method, url, headers, body, timeout = 0 } = request;
  const answer = await web.send({
    method: method === 'GET' ? 'GET' : 'POST',
    url,
    // Our client does not decompress.
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'accept-encoding')),
    body: typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : undefined,
    signal: timeout > 0 ? AbortSignal.timeout(timeout) : undefined,
  });
  const given = Object.entries(answer.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return { status: answer.status, headers: Object.fromEntries(given), body: await readAll(answer.body) };
}
