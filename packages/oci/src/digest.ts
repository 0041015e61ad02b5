import { createHash } from 'node:crypto';
import { TbuildError } from '@tbuild/errors';

/** A content digest in the form of the image specification ("Digests"). tbuild writes and accepts SHA-256 only. */
export type Digest = `sha256:${string}`;

const PATTERN = /^sha256:[a-f0-9]{64}$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** @throws TbuildError USAGE if `text` is not a SHA-256 digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new TbuildError('USAGE', `Digest ${JSON.stringify(text)} is not of the form sha256:<64 hex digits>`);
}

/** Returns the digest of bytes in memory. */
export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** Returns the 64 hexadecimal digits, as used in file names. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
