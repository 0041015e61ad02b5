import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { scratchDirectory } from './scratch.ts';

/** A socket before that of an engine, which records what passes. */
export interface EngineProxy extends AsyncDisposable {
  /** `unix:///…`, for `DOCKER_HOST`. */
  readonly host: string;
  /** Returns the requests since the last call, each as its method and path. */
  requests(): readonly string[];
  /** Returns how many bytes each request to load an image had since the last call. */
  loads(): readonly number[];
}

export async function startEngineProxy(engine: string): Promise<EngineProxy> {
  const path = join(scratchDirectory('proxy'), 'engine.sock');
  let requests: string[] = [];
  let loads: number[] = [];
  const server = createServer((client) => {
    const upstream = connect(engine.slice('unix://'.length));
    let isLoad = false;
    client.on('data', (bytes) => {
      const [, request] = /^((?:GET|POST) \S+) HTTP/.exec(bytes.toString('latin1')) ?? [];
      if (request !== undefined) {
        requests.push(request);
        isLoad = request.startsWith('POST /images/load');
        if (isLoad) loads.push(0);
      }
      if (isLoad) loads.push((loads.pop() ?? 0) + bytes.length);
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
    loads() {
      const seen = loads;
      loads = [];
      return seen;
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
