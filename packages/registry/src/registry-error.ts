import {
  capitalized,
  errnoName,
  printable,
  TbuildError,
  uncapitalized,
  type ErrorCode,
  type TbuildErrorOptions,
} from '@tbuild/errors';
import { parseChallenges } from './auth/challenge.ts';
import { isWebPage, readBody, type HttpRequest, type HttpResponse } from './http-message.ts';

export interface RegistryErrorOptions extends TbuildErrorOptions {
  readonly url: URL;
  readonly status?: number;
  readonly codes?: readonly string[];
  readonly said?: readonly string[];
  readonly transient?: boolean;
  readonly attempts?: number;
  readonly retryAfter?: string;
}

/** A refusal by a registry, or a missing answer. */
export class RegistryError extends TbuildError {
  /** The status of the answer; undefined without an answer. */
  readonly status?: number;
  /** The codes of the error document ("Error Codes"), e.g. `MANIFEST_UNKNOWN`. */
  readonly codes: readonly string[];
  /** Their messages, in the registry's own words. */
  readonly said: readonly string[];
  /** The requested URL without user, password, query and fragment. */
  readonly url: string;
  /** Whether another attempt may succeed: true for a broken connection and for a refused one. */
  readonly transient: boolean;
  /** How many attempts are worth their time, if fewer than usual. */
  readonly attempts?: number;
  /** The value of the header `Retry-After`. */
  readonly retryAfter?: string;

  constructor(code: ErrorCode, message: string, options: RegistryErrorOptions) {
    super(code, message, options);
    this.name = 'RegistryError';
    this.status = options.status;
    this.codes = options.codes ?? [];
    this.said = options.said ?? [];
    this.url = `${options.url.origin}${options.url.pathname}`;
    this.transient = options.transient ?? false;
    this.attempts = options.attempts;
    this.retryAfter = options.retryAfter;
  }
}

const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
};
/** The advice for an answer that no registry gives. */
export const OTHER_SERVER = 'Check the address: another server than a registry may answer there';
const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const DOCUMENT_LIMIT = 64 * 1024;

/** Returns whether a request with this answer may be sent again. */
export function isTransientStatus(status: number): boolean {
  return TRANSIENT_STATUS.has(status);
}

/** The subject of a request, in the user's words. */
export interface Subject {
  /** E.g. `127.0.0.1:5000/app`. */
  readonly repository: string;
  /** E.g. `image 127.0.0.1:5000/app:1`. */
  readonly item: string;
  /** What failed, where that is not the request itself. */
  readonly failed?: string;
}

/** Creates the error for an unexpected answer, and reads its body. */
export async function refusal(request: HttpRequest, response: HttpResponse, subject: Subject): Promise<RegistryError> {
  const { status } = response;
  const { codes, messages } = await readErrors(response);
  const details = [status, ...codes].join(' ');
  const said = wordsOf(messages);
  const code = STATUS_CODES[status] ?? 'REGISTRY';
  const { host } = request.url;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isOpening = request.method === 'POST';
  const denied = `${capitalized(request.access)} access denied, repository does not exist or may require authorization${serverMessage(response)} (${details} for ${subject.repository})${said}`;
  const text = {
    401: denied,
    403: denied,
    404: isRead
      ? `${nameOf(subject)}: not found (${details})`
      : isOpening
        ? `Repository ${subject.repository}: not found (${details})`
        : undefined,
    413: `Registry ${host} refuses a request of this size (${details}) for ${subject.item}${said}`,
    429: `Registry ${host} limits the rate of requests (${details})${said}`,
  }[status];
  const message = text ?? `Registry ${host} answered ${details} to ${request.method} for ${subject.item}${said}`;
  const { failed } = subject;
  return new RegistryError(code, failed === undefined ? message : `${failed}: ${uncapitalized(message)}`, {
    url: request.url,
    status,
    codes,
    said: messages,
    hint: hintFor(status, host, { isRead, isOpening, response }),
    transient: isTransientStatus(status),
    retryAfter: response.headers['retry-after'],
  });
}

/** Creates the error for a registry that refuses the credential of a login. */
export function loginRefused(registry: string, refused: RegistryError): RegistryError {
  const { code, status, codes, said } = refused;
  const details = [status, ...codes].join(' ');
  return new RegistryError(code, `Registry ${registry} refuses this user and password (${details})${wordsOf(said)}`, {
    url: new URL(refused.url),
    status,
    codes,
    said,
    cause: refused,
    hint: 'Check both; many registries take an access token in place of the password',
  });
}

/** Returns what a registry said beyond its refusal, to append to a message. */
function wordsOf(messages: readonly string[]): string {
  const told = messages.filter((message) => !/^(?:authentication required|unauthorized)$/i.test(message));
  return told.length === 0 ? '' : `: ${told.join('; ')}`;
}

/** An image's name stands for itself. */
function nameOf({ item }: Subject): string {
  return item.startsWith('image ') ? item.slice('image '.length) : capitalized(item);
}

/** What the challenge of a refused token says, such as `insufficient_scope`. */
function serverMessage({ headers }: HttpResponse): string {
  const error = parseChallenges(headers['www-authenticate']).find(({ parameters }) => parameters.error)?.parameters
    .error;
  return error === undefined ? '' : `: server message: ${printable(error)}: authorization failed`;
}

function hintFor(
  status: number,
  host: string,
  { isRead, isOpening, response }: { isRead: boolean; isOpening: boolean; response: HttpResponse },
): string | undefined {
  const { refused, headers } = response;
  const retryAfter = headers['retry-after'];
  const registry = host === 'registry-1.docker.io' ? '' : ` ${host}`;
  if (status === 401 && refused !== undefined)
    return `Check the user and password in ${refused}, or log in again with "tbuild login${registry}"`;
  if (status === 401) return `Check the name, and log in with "tbuild login${registry}" if the repository is private`;
  if (status === 404 && isOpening)
    return 'Check the name, and create the repository or project first if the registry requires it';
  if (status === 404 && isRead) return 'Check the name and the tag for typos, and that the image was pushed';
  if (status === 403) return 'Use credentials with this permission';
  if (status === 413) return 'Raise the limit of the proxy before the registry (for nginx: client_max_body_size)';
  if (status === 429) return `${waitFor(retryAfter)}, or log in with "tbuild login${registry}" for a higher limit`;
  if (status < 300 && isWebPage(response)) return OTHER_SERVER;
  if (retryAfter !== undefined) return `${waitFor(retryAfter)} before you try again`;
  return undefined;
}

/** Words the registry's `Retry-After`, which is a number of seconds or a date. */
function waitFor(retryAfter = ''): string {
  const date = Date.parse(retryAfter);
  if (!/^\d+$/.test(retryAfter)) return Number.isNaN(date) ? 'Wait' : `Wait until ${new Date(date).toUTCString()}`;
  const minutes = Math.ceil(Number(retryAfter) / 60);
  return minutes <= 1 ? 'Wait a minute' : `Wait ${minutes} minutes`;
}

async function readErrors(response: HttpResponse): Promise<{ codes: string[]; messages: string[] }> {
  const bytes = await readBody(response, DOCUMENT_LIMIT).catch(() => Buffer.alloc(0));
  const errors = errorsOf(bytes.toString('utf8'));
  const texts = (key: 'code' | 'message'): string[] =>
    errors.flatMap((error) => (typeof error[key] === 'string' && error[key] !== '' ? [printable(error[key])] : []));
  return { codes: texts('code'), messages: texts('message') };
}

/** Parses the error format of registries, or of token servers: `{"details": …}`, `{"error_description": …}`. */
function errorsOf(text: string): { code?: unknown; message?: unknown }[] {
  const document = objectOf(text);
  if (Array.isArray(document.errors))
    return document.errors.filter((error) => typeof error === 'object' && error !== null);
  const { error_description: description, details, message, error } = document;
  const said = [description, details, message, error].find((one) => typeof one === 'string');
  return said === undefined ? [] : [{ message: said }];
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

const UNSIGNED = 'cannot be trusted: certificate signed by unknown authority';
const NO_TLS = 'does not speak TLS: server gave HTTP response to HTTPS client';
const NO_ADDRESS = 'has no address: no such host';
const REFUSED = 'cannot be reached: connection refused';
const NO_ANSWER = 'has no address: DNS does not answer';
const UNREACHED = 'cannot be reached: no route to host';
const NO_NETWORK = 'cannot be reached: network is unreachable';
const SILENT = 'does not answer: i/o timeout';

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: NO_ADDRESS,
  EAI_AGAIN: NO_ANSWER,
  EHOSTUNREACH: UNREACHED,
  ENETUNREACH: NO_NETWORK,
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNSIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNSIGNED,
  UNABLE_TO_GET_ISSUER_CERT: UNSIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNSIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNSIGNED,
  UND_ERR_CONNECT_TIMEOUT: SILENT,
  UND_ERR_HEADERS_TIMEOUT: SILENT,
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of an answer',
  UND_ERR_HEADERS_OVERFLOW: 'sent headers that are too long',
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'requires a client certificate',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'ended the TLS handshake',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'refuses the client certificate',
  ERR_OSSL_PEM_NO_START_LINE: 'requires a client certificate, but the configured one is damaged',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'requires a client certificate, but the configured one has another key',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'refuses the client certificate',
};

/** Known failures that are worth another attempt. */
const PASSING = new Set(['UND_ERR_BODY_TIMEOUT', 'EAI_AGAIN', 'ECONNREFUSED']);
/** A server that refuses connections from the start may be starting, but most likely the address is wrong. */
const ATTEMPTS_TO_START = 3;
/** Failures on the way to a proxy rather than behind it. */
const BEFORE_PROXY = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const PROXY_HINT = 'Check the proxies in HTTPS_PROXY and HTTP_PROXY, and the exceptions in NO_PROXY';

export interface Way {
  /** The name of the other side in errors. */
  readonly peer?: string;
  /** The proxy in between. */
  readonly proxy?: URL;
  /** Whether the other side has answered before: then it may be about to restart. */
  readonly hasAnswered?: boolean;
}

/** Creates the error for a failed connection. `errno` is the failure's name in the system or library. */
export function unreachable(
  url: URL,
  errno: string | undefined,
  { peer = 'Registry', proxy, hasAnswered = false, cause }: Way & { readonly cause: unknown },
): RegistryError {
  const known = UNREACHABLE[errno ?? ''];
  const what = known ?? `broke the connection${errno === undefined ? '' : ` (${errno})`}`;
  const isProxy = proxy !== undefined && BEFORE_PROXY.has(errno ?? '');
  const [side, hint] = isProxy ? [`Proxy ${proxy.host}`, PROXY_HINT] : [`${peer} ${url.host}`, hintOf(what, url, peer)];
  const transient = known === undefined || PASSING.has(errno ?? '');
  const attempts = known === REFUSED && !hasAnswered ? ATTEMPTS_TO_START : undefined;
  return new RegistryError('REGISTRY', `${side} ${what}`, { url, hint, cause, transient, attempts });
}

/** Returns whether a connection failed since the other side does not speak TLS. */
export function lacksTls(error: unknown): boolean {
  return error instanceof RegistryError && UNREACHABLE[errnoName(error.cause) ?? ''] === NO_TLS;
}

function hintOf(what: string, { host }: URL, peer: string): string | undefined {
  if (what.includes('client certificate'))
    return `Put a valid one into ~/.docker/certs.d/${host}/client.cert and client.key`;
  const isRegistry = peer === 'Registry';
  if (what.includes('certificate'))
    return `Trust its certificate authority with --ca FILE${isRegistry ? `, or give --insecure-registry ${host}` : ''}`;
  if (what === NO_TLS)
    return isRegistry
      ? `Give --insecure-registry ${host} if it is meant to have no TLS`
      : 'Begin the address with http:// if the server is meant to have no TLS';
  if (what === REFUSED) return 'Check the address and the port, and that the server is running';
  const mirror = isRegistry ? ', or name a mirror with --registry-map' : '';
  if (what === NO_ADDRESS || what === NO_ANSWER)
    return `Check the name, and the DNS of this machine; behind a proxy, set HTTPS_PROXY${mirror}`;
  if (what === UNREACHED || what === NO_NETWORK || what === SILENT)
    return `Check the network of this machine; behind a proxy, set HTTPS_PROXY${mirror}`;
  return undefined;
}

/** Creates the error for a proxy that refuses a request. */
export function proxyRefused(url: URL, proxy: URL, cause?: unknown): RegistryError {
  const hint =
    proxy.username === ''
      ? 'Add a user if the proxy requires one: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT'
      : 'Check the user and password in HTTPS_PROXY, and whether the proxy allows this address';
  return new RegistryError('REGISTRY', `Proxy ${proxy.host} refuses to connect to ${url.host}`, { url, hint, cause });
}
