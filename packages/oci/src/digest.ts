import { createHash } from 'node:crypto';

/** A content digest in the form of the image specification ("Digests"). tbuild writes and accepts SHA-256 only. */
export type Digest = `sha256:${string}`;

const PATTERN = /^sha256:[a-f0-9]{64}$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/** Returns the digest of bytes in memory. */
export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** Returns the 64 hexadecimal digits, as used in file names. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
