import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { readWire, wireNumber, wireString, type WireReader } from './wire.ts';

/** A key that can sign. */
export interface SshKey {
  /** The public half as the protocol has it. */
  readonly blob: Buffer;
  readonly comment: string;
  readonly key: KeyObject;
  /** `RSA`, or the name of a curve as in a JSON web key. */
  readonly kind: string;
}

/**
 * Reads a private key in OpenSSH's own format or as PEM.
 *
 * @throws TbuildError UNSUPPORTED for a key with a passphrase, USAGE for a file that is no key.
 */
export function readPrivateKey(path: string): SshKey {
  const text = readFileSync(path, 'latin1');
  try {
    const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END OPENSSH PRIVATE KEY-----/.exec(text)?.[1];
    const { key, comment } = body === undefined ? pemKey(text, path) : openSshKey(Buffer.from(body, 'base64'), path);
    return describe(key, comment);
  } catch (cause) {
    if (cause instanceof TbuildError) throw cause;
    throw new TbuildError('USAGE', `File ${JSON.stringify(path)} holds no private key that can be used`, { cause });
  }
}

interface CommentedKey {
  readonly key: KeyObject;
  readonly comment: string;
}

function pemKey(text: string, path: string): CommentedKey {
  if (/ENCRYPTED/.test(text)) throw withPassphrase(path);
  return { key: createPrivateKey(text), comment: path };
}

const MAGIC = 'openssh-key-v1\0';

/** PROTOCOL.key of OpenSSH. */
function openSshKey(bytes: Buffer, path: string): CommentedKey {
  if (bytes.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw new Error('Not an OpenSSH key');
  const outer = readWire(bytes.subarray(MAGIC.length));
  const cipher = outer.string().toString();
  if (cipher !== 'none') throw withPassphrase(path);
  outer.string();
  outer.string();
  if (outer.uint32() !== 1) throw new Error('Not exactly one key');
  outer.string();
  const inner = readWire(outer.string());
  if (inner.uint32() !== inner.uint32()) throw new Error('Check numbers differ');
  const type = inner.string().toString();
  const read = READERS[type];
  if (read === undefined) throw new Error(`Keys of type ${type} are not known`);
  const jwk = read(inner);
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), comment: inner.string().toString() };
}

const READERS: Readonly<Record<string, (fields: WireReader) => JsonWebKey>> = {
  'ssh-ed25519': readEd25519,
  'ssh-rsa': readRsa,
  'ecdsa-sha2-nistp256': (fields) => readCurve(fields, 'P-256'),
  'ecdsa-sha2-nistp384': (fields) => readCurve(fields, 'P-384'),
  'ecdsa-sha2-nistp521': (fields) => readCurve(fields, 'P-521'),
};

function readEd25519(fields: WireReader): JsonWebKey {
  const [x, seed] = [fields.string(), fields.string().subarray(0, 32)];
  return { kty: 'OKP', crv: 'Ed25519', x: encode(x), d: encode(seed) };
}

function readRsa(fields: WireReader): JsonWebKey {
  const next = (): Buffer => withoutSign(fields.string());
  const [n, e, d, qi, p, q] = [next(), next(), next(), next(), next(), next()];
  const numbers = { n, e, d, p, q, qi, dp: remainder(d, p), dq: remainder(d, q) };
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, encode(number)])) };
}

function readCurve(fields: WireReader, crv: string): JsonWebKey {
  fields.string();
  const point = fields.string().subarray(1);
  const size = point.length / 2;
  const d = withoutSign(fields.string());
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, size - d.length)), d]);
  return { kty: 'EC', crv, x: encode(point.subarray(0, size)), y: encode(point.subarray(size)), d: encode(padded) };
}

/** d modulo (prime - 1). */
function remainder(d: Buffer, prime: Buffer): Buffer {
  const digits = (BigInt(`0x${d.toString('hex')}`) % (BigInt(`0x${prime.toString('hex')}`) - 1n)).toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

function withoutSign(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function describe(key: KeyObject, comment: string): SshKey {
  const { kty, crv, n = '', e = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  if (kty === 'RSA') {
    return {
      key,
      comment,
      kind: 'RSA',
      blob: Buffer.concat([wireString('ssh-rsa'), wireNumber(bytes(e)), wireNumber(bytes(n))]),
    };
  }
  if (kty === 'OKP' && crv === 'Ed25519') {
    return { key, comment, kind: crv, blob: Buffer.concat([wireString('ssh-ed25519'), wireString(bytes(x))]) };
  }
  if (kty !== 'EC' || crv === undefined) throw new Error(`Keys of kind ${kty} are not known`);
  const curve = crv.replace('P-', 'nistp');
  const point = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]);
  return {
    key,
    comment,
    kind: crv,
    blob: Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]),
  };
}

function withPassphrase(path: string): TbuildError {
  return new TbuildError('UNSUPPORTED', `Key ${JSON.stringify(path)} is protected by a passphrase`, {
    hint: 'Add it to an agent with ssh-add and forward that one',
  });
}
