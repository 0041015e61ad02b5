import { gunzipSync, gzipSync } from 'node:zlib';
import { TbuildError } from '@tbuild/errors';

/** The layer of a cache manifest that tells what the keys of its steps were made of. */
export const NOTES_TYPE = 'application/vnd.tbuild.cache.explanations.v1+gzip';

/** What is remembered of one step, to tell later why it was missed. */
export interface ExplanationNote {
  /** The note's name, in hexadecimal. */
  readonly name: string;
  readonly text: string;
}

/** More than this is not worth carrying. Characters. */
const MOST_OF_ONE = 4_000_000;
/** A small file may become a very large one. Bytes. */
const MOST = 256 * 1024 * 1024;

export function encodeNotes(notes: readonly ExplanationNote[]): Uint8Array {
  const kept = notes.filter(({ text }) => text.length <= MOST_OF_ONE);
  return gzipSync(JSON.stringify(kept.map(({ name, text }) => [name, text])));
}

/** @throws TbuildError REGISTRY when it is not what `encodeNotes` wrote. */
export function decodeNotes(bytes: Uint8Array): readonly ExplanationNote[] {
  try {
    const value: unknown = JSON.parse(gunzipSync(bytes, { maxOutputLength: MOST }).toString());
    return Array.isArray(value) ? value.flatMap(parseNote) : [];
  } catch (cause) {
    throw new TbuildError('REGISTRY', 'Explanations of the cache are not valid', { cause });
  }
}

// Names become file names.
function parseNote(value: unknown): ExplanationNote[] {
  if (!Array.isArray(value)) return [];
  const [name, text]: unknown[] = value;
  return typeof name === 'string' && /^[a-f0-9]{32}$/.test(name) && typeof text === 'string' ? [{ name, text }] : [];
}
