import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Client } from 'undici';
import { dialSsh } from './dial-ssh.ts';
import { connectionOf, type EngineAddress } from './engine-address.ts';
import type { Programs } from './program-output.ts';

export interface EngineRequest {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly body?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface EngineAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** A connection to an engine's API. Disposing it closes the connection. */
export interface EngineClient extends AsyncDisposable {
  /** @throws TbuildError UNSUPPORTED when the engine does not answer; what the body throws. */
  request(request: EngineRequest): Promise<EngineAnswer>;
}

/**
 * Opens a connection with the first request.
 * @throws TbuildError UNSUPPORTED for an address of another kind.
 */
export function createEngineClient(address: EngineAddress, programs: Programs): EngineClient {
  const connection = connectionOf(address);
  const hungUp = new AbortController();
  let opened: Promise<Client> | undefined;
  const open = async (): Promise<Client> => {
    const { Client: HttpClient } = await import('./undici.ts');
    const options = { headersTimeout: 0, bodyTimeout: 0 };
    if (connection.kind === 'socket')
      return new HttpClient('http://localhost', { ...options, connect: { socketPath: connection.path } });
    if (connection.kind === 'tcp') {
      const { verify: rejectUnauthorized = true, ...keys } = connection.tls ?? {};
      return new HttpClient(connection.origin, { ...options, connect: { ...keys, rejectUnauthorized } });
    }
    const { args } = connection;
    return new HttpClient('http://localhost', {
      ...options,
      connect(_, connected) {
        const socket = dialSsh(args, programs, hungUp.signal);
        // The client does not expect an answer before this call ends, and uses only what every duplex stream has.
        setImmediate(() => connected(null, socket as unknown as TLSSocket));
      },
    });
  };
  return {
    async request({ body, signal, ...asked }) {
      const client = await (opened ??= open());
      // Report a failing archive itself, not the broken connection that it causes.
      let bodyError: unknown;
      const watched = body === undefined ? undefined : Readable.from(watch(body, (error) => (bodyError = error)));
      try {
        const headers = body === undefined ? {} : { 'content-type': 'application/x-tar' };
        const { statusCode: status, ...answer } = await client.request({ ...asked, headers, body: watched, signal });
        return { status, headers: answer.headers, body: answer.body };
      } catch (error) {
        if (bodyError !== undefined) throw bodyError;
        throw signal.aborted ? error : unreachable(address.host, error);
      }
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.destroy();
      hungUp.abort();
    },
  };
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

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Start Docker, or use -o type=docker,dest=FILE, which needs no engine',
  ECONNREFUSED: 'Start Docker, or use -o type=docker,dest=FILE, which needs no engine',
  EACCES: 'Join the group docker: only root and its members may use the socket',
};

function unreachable(host: string, cause: unknown): TbuildError {
  const hint = cause instanceof TbuildError ? `Make this work: ssh HOST docker version (${cause.message})` : undefined;
  const isKeyProblem = /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(codeOf(cause));
  return new TbuildError('UNSUPPORTED', `Docker does not answer at ${host}`, {
    hint: isKeyProblem
      ? 'Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH or of the context'
      : (hint ?? HINTS[errnoName(cause) ?? '']),
    cause,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
