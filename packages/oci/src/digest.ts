import { createHash } from 'node:crypto';
import { TbuildError } from '@tbuild/errors';

/** A content digest as the image specification writes it ("Digests"); tbuild writes and accepts SHA-256. */
export type Digest = `sha256:${string}`;

const PATTERN = /^sha256:[a-f0-9]{64}$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** @throws TbuildError USAGE when `text` is no SHA-256 digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new TbuildError('USAGE', `Digest ${JSON.stringify(text)} is not of the form sha256:<64 hex digits>`);
}

/** The digest of bytes that are in memory already. */
export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** The 64 hexadecimal digits alone, as used in file names. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
