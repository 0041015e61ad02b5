/** Something that holds keys: an agent of the user's, or key files that a build was given. */
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

/** What an agent says when it will not. */
export const REFUSAL = Buffer.from([AgentMessage.failure]);

/** As OpenSSH has it. */
const LONGEST = 256 * 1024;

/**
 * Cuts a stream into messages.
 *
 * @throws Error for one that is too long.
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

/** The message with its length before it. */
export function frameMessage(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
