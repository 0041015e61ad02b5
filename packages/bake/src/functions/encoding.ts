import { constants, createHash, privateDecrypt, randomBytes } from 'node:crypto';
import { TbuildError } from '@tbuild/errors';
import { parseCsv } from '../value/csv.ts';
import { decodeJson, encodeJson } from '../value/json.ts';
import { Num } from '../value/number.ts';
import { list, object, type Value } from '../value/value.ts';
import { fn, toIndex, type BakeFunction } from './function.ts';

const hashed = (algorithm: string): BakeFunction =>
  fn(['string'], (text) => createHash(algorithm).update(text).digest('hex'));

function decodeBase64(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text.trim()) throw new TbuildError('BAKE_FILE', 'the text is not base64');
  return bytes.toString();
}

function decodeCsv(text: string): Value {
  const [header = [], ...rows] = parseCsv(text);
  return list(
    rows.map((row) => {
      if (row.length !== header.length)
        throw new TbuildError('BAKE_FILE', 'a row has not as many fields as the header');
      return object(header.map((name, column) => [name, row[column] ?? '']));
    }),
  );
}

/** Escapes a text as a query in a URL. */
const encodeUrl = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

const NAMESPACES: Readonly<Record<string, string>> = {
  dns: '6ba7b8109dad11d180b400c04fd430c8',
  url: '6ba7b8119dad11d180b400c04fd430c8',
  oid: '6ba7b8129dad11d180b400c04fd430c8',
  x500: '6ba7b8149dad11d180b400c04fd430c8',
};

function uuid(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function namedUuid(namespace: string, name: string): string {
  const space = NAMESPACES[namespace] ?? namespace.replaceAll('-', '');
  if (!/^[\da-f]{32}$/i.test(space))
    throw new TbuildError('BAKE_FILE', `unknown namespace ${JSON.stringify(namespace)}`);
  return uuid(createHash('sha1').update(Buffer.from(space, 'hex')).update(name).digest(), 5);
}

function decrypt(text: string, key: string): string {
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text, 'base64')).toString();
  } catch (cause) {
    throw new TbuildError('BAKE_FILE', 'the text cannot be decrypted with this key', { cause });
  }
}

/** The functions that encode, decode and digest. */
export const encodingFunctions: Readonly<Record<string, BakeFunction>> = {
  base64decode: fn(['string'], decodeBase64),
  base64encode: fn(['string'], (text) => Buffer.from(text).toString('base64')),
  bytesslice: fn(['string', 'number', 'number'], (text, offset, length) => {
    const [start, count] = [toIndex(offset, 'The offset'), toIndex(length, 'The length')];
    return Buffer.from(text)
      .subarray(start, start + count)
      .toString();
  }),
  byteslen: fn(['string'], (text) => Num.of(Buffer.byteLength(text))),
  csvdecode: fn(['string'], decodeCsv),
  jsondecode: fn(['string'], decodeJson),
  jsonencode: fn(['any'], encodeJson),
  md5: hashed('md5'),
  rsadecrypt: fn(['string', 'string'], decrypt),
  sha1: hashed('sha1'),
  sha256: hashed('sha256'),
  sha512: hashed('sha512'),
  urlencode: fn(['string'], encodeUrl),
  uuidv4: fn([], () => uuid(randomBytes(16), 4)),
  uuidv5: fn(['string', 'string'], namedUuid),
};
