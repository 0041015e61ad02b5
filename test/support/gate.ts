import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { vi } from 'vitest';
import { patiently } from './patience.ts';

/** Holds steps that run with the network of this machine. */
export interface Gate extends AsyncDisposable {
  /** A command of a step that waits until the name is opened, and prints the answer. Needs `nc`. */
  wait(name: string): string;
  /** Waits until a step waits for each name. */
  reached(...names: readonly string[]): Promise<void>;
  /** Lets the step go on that waits for the name. */
  open(name: string, answer?: string): void;
}

export async function startGate(): Promise<Gate> {
  const waiting = new Map<string, Socket>();
  /** Also those of steps that were killed before or while they waited. */
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', (data) => waiting.set(data.toString().trim(), socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    wait: (name) => `echo ${name} | nc 127.0.0.1 ${port}`,
    reached: (...names) =>
      vi.waitFor(() => {
        const missing = names.filter((name) => !waiting.has(name));
        if (missing.length > 0) throw new Error(`No step waits for ${missing.join(', ')}`);
      }, patiently),
    open(name, answer = '') {
      waiting.get(name)?.end(answer);
      waiting.delete(name);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
