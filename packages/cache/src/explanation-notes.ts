import { gunzipSync, gzipSync } from 'node:zlib';
import { TbuildError } from '@tbuild/errors';

/** The layer of a cache manifest with the explanations of its steps. */
export const NOTES_TYPE = 'application/vnd.tbuild.cache.explanations.v1+gzip';

/** The explanation of one step, which tells later why it missed the cache. */
export interface ExplanationNote {
  /** The note's name, in hexadecimal. */
  readonly name: string;
  readonly text: string;
}

/** Longer explanations are left out. Characters. */
const MOST_OF_ONE = 4_000_000;
/** Limits the decompressed size. Bytes. */
const MOST = 256 * 1024 * 1024;

export function encodeNotes(notes: readonly ExplanationNote[]): Uint8Array {
  const kept = notes.filter(({ text }) => text.length <= MOST_OF_ONE);
  return gzipSync(JSON.stringify(kept.map(({ name, text }) => [name, text])));
}

/**
 * Decodes the notes of `encodeNotes`.
 *
 * @throws TbuildError REGISTRY when they are not valid.
 */
export function decodeNotes(bytes: Uint8Array): readonly ExplanationNote[] {
  try {
    const value: unknown = JSON.parse(gunzipSync(bytes, { maxOutputLength: MOST }).toString());
    return Array.isArray(value) ? value.flatMap(parseNote) : [];
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Explanations of the cache are not valid', { cause });
  }
}

/** Checks the name, which becomes a file name. */
function parseNote(value: unknown): ExplanationNote[] {
  if (!Array.isArray(value)) return [];
  const [name, text]: unknown[] = value;
  return typeof name === 'string' && /^[a-f0-9]{32}$/.test(name) && typeof text === 'string' ? [{ name, text }] : [];
}
