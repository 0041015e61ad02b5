import { once } from 'node:events';
import { chmodSync, chownSync, closeSync, constants, openSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { AgentMessage, frameMessage, readMessages, REFUSAL, type SshAgent } from './agent.ts';

export interface ServeOptions {
  /** An empty directory for the socket. */
  readonly directory: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** An agent's socket, open until it is disposed. */
export interface ServedAgent extends AsyncDisposable {
  readonly path: string;
}

/** The requests that are passed on: list the keys, and sign. Adding, removing and locking keys is refused. */
const ALLOWED: readonly number[] = [AgentMessage.requestIdentities, AgentMessage.signRequest];

const NAME = 'agent';

/** Serves an agent at a socket and passes on only requests that are harmless. */
export async function serveAgent(agent: SshAgent, { directory, mode, uid, gid }: ServeOptions): Promise<ServedAgent> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    void answer(socket, agent);
  });
  // A socket's path is limited to 107 bytes, and the store's path may be longer.
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  server.listen(`/proc/self/fd/${fd}/${NAME}`);
  await once(server, 'listening');
  const path = join(directory, NAME);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
      closeSync(fd);
    },
  };
}

async function answer(socket: Socket, agent: SshAgent): Promise<void> {
  try {
    for await (const request of readMessages(socket)) {
      const allowed = ALLOWED.includes(request[0] ?? 0);
      socket.write(frameMessage(allowed ? await agent.ask(request) : REFUSAL));
    }
  } catch {
    // A step sees a broken connection, whichever side failed.
  } finally {
    socket.destroy();
  }
}
