import { TbuildError } from '@tbuild/errors';
import { bytesFrom, rangeFrom, resumed, type WebAnswer, type WebClient } from '@tbuild/registry';

export interface BodyOptions {
  readonly web: WebClient;
  /** Requests the URL of the answer again. @throws TbuildError for a refusal. */
  ask(headers: Readonly<Record<string, string>>): Promise<WebAnswer>;
  /** The URL in messages. */
  readonly shown: string;
  readonly signal: AbortSignal;
}

/**
 * Returns the bytes of an answer. After a broken connection the download resumes, if the server can tell whether the file
 * is still the same.
 * @throws TbuildError REGISTRY if it is not, or if bytes are missing at the end.
 */
export function wholeBody(first: WebAnswer, { web, ask, shown, signal }: BodyOptions): AsyncIterable<Uint8Array> {
  const { etag, 'last-modified': modified, 'content-length': length } = first.headers;
  // A weak one does not tell whether the bytes are the same.
  const version = etag === undefined || etag.startsWith('W/') ? modified : etag;
  if (version === undefined) return first.body;
  let isFirst = true;
  const open = async (offset: number): Promise<AsyncIterable<Uint8Array>> => {
    if (isFirst) {
      isFirst = false;
      return first.body;
    }
    const answer = await ask({ ...rangeFrom(offset), 'if-range': version });
    if (answer.headers.etag === etag && answer.headers['last-modified'] === modified) return bytesFrom(answer, offset);
    await answer.discard();
    throw new TbuildError('REGISTRY', `File ${JSON.stringify(shown)} changed while it was downloaded`, {
      hint: 'Build again',
    });
  };
  const size = /^\d+$/.test(length ?? '') ? Number(length) : undefined;
  return requireSize(resumed(open, { clock: web.clock, signal, size }), size, shown);
}

/** Without a checksum nothing else verifies a file. */
async function* requireSize(
  source: AsyncIterable<Uint8Array>,
  size: number | undefined,
  shown: string,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const chunk of source) {
    count += chunk.length;
    yield chunk;
  }
  if (size === undefined || count === size) return;
  throw new TbuildError('REGISTRY', `File ${JSON.stringify(shown)} has ${count} bytes, expected ${size}`, {
    hint: 'Build again',
  });
}
