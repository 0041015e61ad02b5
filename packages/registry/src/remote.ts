import type { Digest } from '@tbuild/oci';
import type { Access, HttpRequest, HttpResponse, Send } from './http-message.ts';
import { refusal } from './registry-error.ts';
import type { Clock } from './transport/retry.ts';

/** The shared context of a repository's parts. */
export interface Remote {
  /** Registry and path, for messages. */
  readonly name: string;
  /** The path alone. */
  readonly path: string;
  /** The access that reads request. A repository opened to push requests push access at once, with one token. */
  readonly readAccess: Access;
  readonly clock: Clock;
  readonly send: Send;
  base(signal?: AbortSignal): Promise<URL>;
  /** Documents read or written, by digest. */
  readonly documents: Map<Digest, Uint8Array>;
  /** Blobs that the repository has, by what it answered since it last refused a document. */
  readonly blobs: Set<Digest>;
}

export interface Question extends Partial<Pick<HttpRequest, 'access' | 'headers' | 'body' | 'scopes' | 'signal'>> {
  readonly method: HttpRequest['method'];
  /** A path below the repository's own URL, or a whole URL. */
  readonly target: string | URL;
  /** The accepted statuses. Any other status is thrown. */
  readonly accept: readonly number[];
  /** The subject of the request, in the user's words. */
  readonly subject: string;
}

/**
 * Sends a request about the repository.
 * @throws RegistryError for any status that is not accepted.
 */
export async function ask(remote: Remote, question: Question): Promise<HttpResponse> {
  const { method, target, headers = {}, body, scopes, signal, accept, subject } = question;
  signal?.throwIfAborted();
  const url = target instanceof URL ? target : new URL(`/v2/${remote.path}/${target}`, await remote.base(signal));
  const access = question.access ?? remote.readAccess;
  const request: HttpRequest = { method, url, access, headers, body, scopes, signal };
  const response = await remote.send(request);
  if (accept.includes(response.status)) return response;
  throw await refusal(request, response, { repository: remote.name, item: subject });
}
