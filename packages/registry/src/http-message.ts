/** The access that a request needs; it decides which token is used. */
export type Access = 'pull' | 'push' | 'delete';

/** An outgoing request. The URL never has credentials. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly access: Access;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes can be sent again, a stream only once. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Further token scopes of the request, e.g. to read the repository that a blob is mounted from. */
  readonly scopes?: readonly string[];
  readonly signal?: AbortSignal;
}

/** An answer. Its receiver reads `body` to the end or calls `discard`. */
export interface HttpResponse {
  readonly status: number;
  /** The URL after redirects. */
  readonly url: URL;
  /** Names in lower case; repeated headers are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Where the credential is kept that was sent and refused. */
  readonly refused?: string;
  discard(): Promise<void>;
}

/**
 * Sends one request. Every status counts as an answer.
 * @throws RegistryError without an answer; the signal's reason on abort.
 */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

/** Wraps the sending of each request. It may change a request, send it again, or pass it on. */
export type Middleware = (next: Send) => Send;

/** Returns whether a request can be sent a second time. */
export function isRepeatable({ body }: HttpRequest): boolean {
  return body === undefined || body instanceof Uint8Array;
}

/** Returns the request with another header. */
export function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

/**
 * Reads the body of an answer into memory, up to `limit` bytes.
 * @throws RegistryError if the connection breaks.
 */
export async function readBody(response: Pick<HttpResponse, 'body'>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  return Buffer.concat(chunks);
}

/** Returns whether an answer is a web page, such as the login page of a server that is no registry. */
export function isWebPage({ headers }: Pick<HttpResponse, 'headers'>): boolean {
  return headers['content-type']?.startsWith('text/html') === true;
}
