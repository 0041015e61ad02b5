/** What a request does to the repository; decides which token it needs. */
export type Access = 'pull' | 'push';

/** A request on its way out. The URL never carries credentials. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly access: Access;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes can be sent again, a stream only once. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Further token scopes that it needs, e.g. to read the repository a blob is mounted from. */
  readonly scopes?: readonly string[];
  readonly signal?: AbortSignal;
}

/** An answer; whoever gets it reads `body` to its end or calls `discard`. */
export interface HttpResponse {
  readonly status: number;
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** Names in lower case; repeated ones are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/**
 * Sends one request. Any status is an answer.
 * @throws RegistryError when there is no answer; the signal's reason when aborted.
 */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/** Something that happens to each request on its way: it may change it, send it again, or leave it alone. */
export type Middleware = (next: Send) => Send;

/** Whether a request can go out a second time. */
export function isRepeatable({ body }: HttpRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}

/** The same request with a header more. */
export function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

/**
 * The body of an answer in memory; what comes after `limit` bytes is not read.
 * @throws RegistryError when the connection breaks.
 */
export async function readBody(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks);
}
