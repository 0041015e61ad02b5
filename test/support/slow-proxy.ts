import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

/** A way to a server that is slower than loopback. */
export interface SlowProxy extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly host: string;
}

export interface Slowness {
  /** In each direction, for all connections together. */
  readonly bitsPerSecond: number;
  /** From one end to the other. */
  readonly delayMs: number;
}

/** Starts a proxy that passes bytes on to `upstream`, a host and port, as a network would. */
export async function startSlowProxy(upstream: string, { bitsPerSecond, delayMs }: Slowness): Promise<SlowProxy> {
  const { hostname, port } = new URL(`http://${upstream}`);
  const direction = (): (() => Transform) => {
    let free = 0;
    return () =>
      new Transform({
        async transform(bytes: Buffer, _, done) {
          const start = Math.max(free, performance.now());
          free = start + (bytes.length * 8000) / bitsPerSecond;
          await setTimeout(free - performance.now());
          void setTimeout(delayMs).then(() => this.push(bytes));
          done();
        },
        flush: (done) => void setTimeout(2 * delayMs).then(() => done()),
      });
  };
  const [up, down] = [direction(), direction()];
  const server = createServer((client) => {
    const remote = connect(Number(port), hostname);
    client.pipe(up()).pipe(remote);
    remote.pipe(down()).pipe(client);
    for (const socket of [client, remote])
      socket.on('error', () => {
        client.destroy();
        remote.destroy();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  return {
    host: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
