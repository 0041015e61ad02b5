import { Readable } from 'node:stream';
import { errnoName, hasCode, TbuildError } from '@tbuild/errors';
import { familiarRepository, type Reference } from '@tbuild/oci';

/** The part of a Docker Engine's API that loading needs. */
export interface DockerEngine {
  /** Asks whether the engine answers; returns the error if it does not. */
  ping(signal: AbortSignal): Promise<TbuildError | undefined>;
  /**
   * Sends an archive and waits until the engine has loaded it.
   * @throws TbuildError PROCESS_FAILED with the engine's message, UNSUPPORTED when it does not answer.
   */
  loadImage(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Gives names to an image that the engine has. Returns false when it has none with this ID. */
  tagImage(id: string, names: readonly Reference[], signal: AbortSignal): Promise<boolean>;
}

/**
 * Returns the engine at `unix:///path` or `tcp://host:port`, the forms of DOCKER_HOST. Does not connect yet.
 * @throws TbuildError UNSUPPORTED for other kinds of address.
 */
export function openDockerEngine(host: string): DockerEngine {
  const address = addressOf(host);
  return {
    async ping(signal) {
      try {
        await request(host, address, { path: '/_ping', method: 'GET', signal });
        return undefined;
      } catch (error) {
        if (error instanceof TbuildError) return error;
        throw error;
      }
    },
    async loadImage(archive, signal) {
      const options = { path: '/images/load?quiet=1', method: 'POST', body: archive, signal } as const;
      const answer = await request(host, address, options);
      const failure = failureIn(answer);
      if (failure !== undefined) throw new TbuildError('PROCESS_FAILED', `Docker could not load the image: ${failure}`);
    },
    async tagImage(id, names, signal) {
      try {
        await request(host, address, { path: `/images/${id}/json`, method: 'GET', signal });
        for (const name of names) {
          const words = new URLSearchParams({ repo: familiarRepository(name), tag: name.tag ?? 'latest' });
          await request(host, address, { path: `/images/${id}/tag?${words}`, method: 'POST', signal });
        }
        return true;
      } catch (error) {
        // It has no such image, or lost it meanwhile: an archive brings it.
        if (hasCode(error, 'PROCESS_FAILED')) return false;
        throw error;
      }
    },
  };
}

interface Address {
  readonly origin: string;
  readonly socketPath?: string;
}

function addressOf(host: string): Address {
  const [, scheme, rest] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(host) ?? [];
  if (scheme === 'unix' || scheme === undefined) return { origin: 'http://localhost', socketPath: rest };
  if (scheme === 'tcp' || scheme === 'http') return { origin: `http://${rest}` };
  throw new TbuildError(
    'UNSUPPORTED',
    `Cannot connect to Docker at ${JSON.stringify(host)}: expected unix:// or tcp://`,
    {
      hint: `Use -o type=docker,dest=image.tar and docker --host ${host} load`,
    },
  );
}

interface EngineRequest {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Returns the text of the response. */
async function request(
  host: string,
  { origin, socketPath }: Address,
  { path, method, body, signal }: EngineRequest,
): Promise<string> {
  const { Client } = await import('./undici.ts');
  const client = new Client(origin, { connect: { socketPath }, headersTimeout: 0, bodyTimeout: 0 });
  // Report a failing archive itself, not the broken connection that it causes.
  let archiveError: unknown;
  const watched = body === undefined ? undefined : Readable.from(watch(body, (error) => (archiveError = error)));
  try {
    const headers = body === undefined ? {} : { 'content-type': 'application/x-tar' };
    const response = await client.request({ path, method, headers, body: watched, signal });
    const text = await response.body.text();
    if (response.statusCode < 300) return text;
    throw refused(response.statusCode, text);
  } catch (error) {
    throw archiveError ?? (error instanceof TbuildError || signal.aborted ? error : unreachable(host, error));
  } finally {
    await client.destroy();
  }
}

async function* watch(
  body: AsyncIterable<Uint8Array>,
  onError: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    onError(error);
    throw error;
  }
}

function refused(status: number, text: string): TbuildError {
  const message = messageOf(text, 'message') ?? text.trim();
  const isVersion = /client version .* is too old|minimum supported API version/i.test(message);
  return new TbuildError('PROCESS_FAILED', `Docker refused to load the image with status ${status}: ${message}`, {
    hint: isVersion
      ? 'Use -o type=docker,dest=image.tar and docker load: this Docker has another version of its API'
      : undefined,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Start Docker, or use -o type=docker,dest=FILE, which needs no engine',
  ECONNREFUSED: 'Start Docker, or use -o type=docker,dest=FILE, which needs no engine',
  EACCES: 'Join the group docker: only root and its members may use the socket',
};

function unreachable(host: string, cause: unknown): TbuildError {
  return new TbuildError('UNSUPPORTED', `Docker does not answer at ${host}`, {
    hint: HINTS[errnoName(cause) ?? ''],
    cause,
  });
}

/** Docker answers with status 200 even when loading fails; the error is in the stream of messages. */
function failureIn(answer: string): string | undefined {
  for (const line of answer.split('\n')) {
    const error = messageOf(line, 'error');
    if (error !== undefined) return error;
  }
  return undefined;
}

function messageOf(json: string, key: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const message = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
