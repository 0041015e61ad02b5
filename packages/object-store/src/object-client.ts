import { TbuildError, type ErrorCode } from '@tbuild/errors';
import { readBody, type WebAnswer, type WebClient, type WebRequest } from '@tbuild/registry';

/** One request to the service of a bucket, before it is signed. */
export interface ObjectRequest extends Pick<WebRequest, 'method' | 'body' | 'signal'> {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** The subject in messages: a key, or the bucket. */
  readonly subject: string;
  /** Further statuses that count as an answer. */
  readonly accept?: readonly number[];
}

export interface ObjectClientOptions {
  readonly web: Pick<WebClient, 'send' | 'clock'>;
  /** The name of the bucket. */
  readonly name: string;
  /** Returns the headers of a request with its signature. */
  sign(request: ObjectRequest): Promise<Readonly<Record<string, string>>>;
  /** Advice where the service refuses the credentials, or has no such bucket. */
  hint(status: number, answer: Pick<WebAnswer, 'headers'>): string | undefined;
}

/** Sends signed requests. */
export interface ObjectClient {
  /** @throws TbuildError for a status that is neither a success nor accepted. */
  send(request: ObjectRequest): Promise<WebAnswer>;
}

/** A refusal of the service. */
export class ObjectError extends TbuildError {
  readonly status: number;
  /** The service's own code, such as `NoSuchBucket`. */
  readonly reason?: string;

  constructor(code: ErrorCode, message: string, { status, reason, hint }: ErrorFacts) {
    super(code, message, { hint });
    this.name = 'ObjectError';
    this.status = status;
    this.reason = reason;
  }
}

interface ErrorFacts {
  readonly status: number;
  readonly reason?: string;
  readonly hint?: string;
}

const CODES: Readonly<Record<number, ErrorCode>> = { 401: 'UNAUTHORIZED', 403: 'UNAUTHORIZED', 404: 'NOT_FOUND' };

export function createObjectClient({ web, name, sign, hint }: ObjectClientOptions): ObjectClient {
  return {
    async send(request) {
      const { method, url, body, signal, accept = [] } = request;
      signal?.throwIfAborted();
      const answer = await web.send({ method, url, headers: await sign(request), body, signal });
      const { status } = answer;
      if ((status >= 200 && status < 300) || accept.includes(status)) return answer;
      const { reason = answer.headers['x-ms-error-code'], said } = await readRefusal(answer);
      const details = [status, ...(reason === undefined ? [] : [reason])].join(' ');
      const why = said === undefined ? '' : `: ${said}`;
      const message =
        status === 401 || status === 403
          ? `Access to ${name} was denied (${details})${why}`
          : status === 404
            ? `${name}/${request.subject} does not exist (${details})`
            : `${name} answered ${details} to ${method} of ${request.subject}${why}`;
      throw new ObjectError(CODES[status] ?? 'REGISTRY', message, { status, reason, hint: hint(status, answer) });
    },
  };
}

const ERROR_LIMIT = 64 * 1024;
/** The first line of a message says what is wrong; the next ones are for the service's own support. */
const LONGEST = 300;

async function readRefusal(answer: WebAnswer): Promise<{ readonly reason?: string; readonly said?: string }> {
  const text = await readText(answer).catch(() => '');
  const said = elementOf(text, 'Message')?.split('\n')[0]?.trim().slice(0, LONGEST);
  return { reason: elementOf(text, 'Code'), said: said === '' ? undefined : said };
}

/** Reads a small answer. */
export async function readText(answer: WebAnswer): Promise<string> {
  return (await readBody(answer, ERROR_LIMIT)).toString('utf8');
}

/** Returns the text of the first element of that name in an XML document. */
export function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

/** Encodes a key for the path of a URL, as the signatures demand. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeSegment).join('/');
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
