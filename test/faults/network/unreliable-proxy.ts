import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../../support/random.ts';

export interface UnreliableProxy extends AsyncDisposable {
  readonly host: string;
  /** How often it broke connections. */
  breaks(): number;
  /** Passes everything from here on. */
  heal(): void;
}

export interface UnreliableOptions {
  /**
   * `restart`: once, after so many bytes, it breaks all connections and refuses new ones for a while.
   * `late`: it refuses connections at first.
   * `races`: it closes connections that were quiet for a moment, when the client may be about to use them.
   */
  readonly mode: 'restart' | 'late' | 'races';
  readonly address: '127.0.0.1' | '::1';
  readonly random: Random;
}

/** How long it refuses connections. Milliseconds. */
const DOWN = 500;

/** Starts a proxy in front of a registry that passes bytes and breaks connections. */
export async function startUnreliableProxy(
  upstream: string,
  { mode, address, random }: UnreliableOptions,
): Promise<UnreliableProxy> {
  const [host = '', port] = upstream.split(':');
  const sockets = new Set<Socket>();
  let [breaks, bytes, isHealed, isDisposed] = [0, 0, false, false];
  let down: NodeJS.Timeout | undefined;
  const limit = random.int(1_500_000);
  const server = createServer((client) => {
    const registry = connect(Number(port), host);
    let quiet: NodeJS.Timeout | undefined;
    const pass = (from: Socket, to: Socket) => {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        clearTimeout(quiet);
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (chunk) => {
        to.write(chunk);
        bytes += chunk.length;
        clearTimeout(quiet);
        if (isHealed) return;
        if (mode === 'restart' && breaks === 0 && bytes > limit) restart();
        if (mode === 'races' && from === registry) quiet = setTimeout(closeQuietly, random.int(60));
      });
    };
    const closeQuietly = (): void => {
      breaks++;
      client.end();
    };
    pass(client, registry);
    pass(registry, client);
  });
  const restart = (): void => {
    breaks++;
    const { port: same } = server.address() as AddressInfo;
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    const listenLater = () => void (down = setTimeout(() => server.listen(same, address), DOWN));
    // Meanwhile another connection may have got the port.
    server.on('error', () => isDisposed || listenLater());
    listenLater();
  };
  server.listen(0, address);
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  if (mode === 'late') restart();
  return {
    host: address === '::1' ? `[::1]:${own}` : `${address}:${own}`,
    breaks: () => breaks,
    heal: () => void (isHealed = true),
    async [Symbol.asyncDispose]() {
      isDisposed = true;
      clearTimeout(down);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
