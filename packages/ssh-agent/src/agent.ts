/** Holds keys: an agent that the user runs, or key files that the build was given. */
export interface SshAgent {
  /** Answers one message of the agent protocol, both without their length. */
  ask(request: Buffer): Promise<Buffer>;
}

/** The messages that matter here (draft-ietf-sshm-ssh-agent). */
export const AgentMessage = {
  failure: 5,
  requestIdentities: 11,
  identitiesAnswer: 12,
  signRequest: 13,
  signResponse: 14,
} as const;

/** The answer to a request that is refused. */
export const REFUSAL = Buffer.from([AgentMessage.failure]);

/** The longest message that OpenSSH accepts, in bytes. */
const LONGEST = 256 * 1024;

/**
 * Splits a stream into messages.
 *
 * @throws Error for a message that is too long.
 */
export async function* readMessages(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const length = pending.readUInt32BE(0);
      if (length > LONGEST) throw new Error(`A message of ${length} bytes is too long for an agent`);
      if (pending.length < 4 + length) break;
      yield pending.subarray(4, 4 + length);
      pending = pending.subarray(4 + length);
    }
  }
}

/** Puts the message's length before it. */
export function frameMessage(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
