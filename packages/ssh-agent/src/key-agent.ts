import { sign } from 'node:crypto';
import { AgentMessage, REFUSAL, type SshAgent } from './agent.ts';
import type { SshKey } from './private-key.ts';
import { readWire, wireNumber, wireString, wireUint32 } from './wire.ts';

/** Creates an agent that lists these keys and signs with them, and does nothing else. */
export function createKeyAgent(keys: readonly SshKey[]): SshAgent {
  return {
    async ask(request) {
      try {
        const reader = readWire(request);
        const type = reader.byte();
        if (type === AgentMessage.requestIdentities) return listKeys(keys);
        if (type !== AgentMessage.signRequest) return REFUSAL;
        const [blob, data, flags] = [reader.string(), reader.string(), reader.uint32()];
        const key = keys.find((one) => one.blob.equals(blob));
        if (key === undefined) return REFUSAL;
        return Buffer.concat([Buffer.from([AgentMessage.signResponse]), wireString(signature(key, data, flags))]);
      } catch (error) {
        if (error instanceof RangeError) return REFUSAL;
        throw error;
      }
    },
  };
}

function listKeys(keys: readonly SshKey[]): Buffer {
  const entries = keys.flatMap(({ blob, comment }) => [wireString(blob), wireString(comment)]);
  return Buffer.concat([Buffer.from([AgentMessage.identitiesAnswer]), wireUint32(keys.length), ...entries]);
}

const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

const CURVE_HASHES: Readonly<Record<string, string>> = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' };

function signature({ key, kind }: SshKey, data: Buffer, flags: number): Buffer {
  if (kind === 'Ed25519') return Buffer.concat([wireString('ssh-ed25519'), wireString(sign(null, data, key))]);
  if (kind === 'RSA') {
    const [name, hash] = rsaAlgorithm(flags);
    return Buffer.concat([wireString(name), wireString(sign(hash, data, key))]);
  }
  const numbers = sign(CURVE_HASHES[kind], data, { key, dsaEncoding: 'ieee-p1363' });
  const half = numbers.length / 2;
  const both = Buffer.concat([wireNumber(numbers.subarray(0, half)), wireNumber(numbers.subarray(half))]);
  return Buffer.concat([wireString(`ecdsa-sha2-${kind.replace('P-', 'nistp')}`), wireString(both)]);
}

function rsaAlgorithm(flags: number): readonly [name: string, hash: string] {
  if ((flags & RSA_SHA2_512) !== 0) return ['rsa-sha2-512', 'sha512'];
  if ((flags & RSA_SHA2_256) !== 0) return ['rsa-sha2-256', 'sha256'];
  return ['ssh-rsa', 'sha1'];
}
