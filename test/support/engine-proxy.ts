import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { scratchDirectory } from './scratch.ts';

/** A socket before that of an engine, which records what passes. */
export interface EngineProxy extends AsyncDisposable {
  /** `unix:///…`, for `DOCKER_HOST`. */
  readonly host: string;
  /** Returns the requests since the last call, each as its method and path. */
  requests(): readonly string[];
  /** Returns how many bytes went to the engine since the last call. */
  sent(): number;
}

export async function startEngineProxy(engine: string): Promise<EngineProxy> {
  const path = join(scratchDirectory('proxy'), 'engine.sock');
  let requests: string[] = [];
  let sent = 0;
  const server = createServer((client) => {
    const upstream = connect(engine.slice('unix://'.length));
    client.on('data', (bytes) => {
      sent += bytes.length;
      const [, request] = /^((?:GET|POST) \S+) HTTP/.exec(bytes.toString('latin1')) ?? [];
      if (request !== undefined) requests.push(request);
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    requests() {
      const seen = requests;
      requests = [];
      return seen;
    },
    sent() {
      const count = sent;
      sent = 0;
      return count;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
