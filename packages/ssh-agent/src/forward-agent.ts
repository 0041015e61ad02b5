import { once } from 'node:events';
import { connect } from 'node:net';
import { frameMessage, readMessages, REFUSAL, type SshAgent } from './agent.ts';

/** Forwards to the agent that listens at a socket. Each request has its own connection, since answers have no numbers. */
export function createForwardAgent(path: string): SshAgent {
  return {
    async ask(request) {
      const socket = connect(path);
      try {
        await once(socket, 'connect');
        socket.write(frameMessage(request));
        for await (const answer of readMessages(socket)) return answer;
        return REFUSAL;
      } finally {
        socket.destroy();
      }
    },
  };
}
