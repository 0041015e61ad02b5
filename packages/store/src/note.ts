import { crc32 } from 'node:zlib';
import { readText, writeAtomically } from './atomic-file.ts';

/** The fields of a JSON file of the store. */
export type Note = Readonly<Record<string, unknown>>;

/** Writes a JSON file that {@link readNote} reads. The last of several writers wins. */
export function writeNote(file: string, fields: object): void {
  writeAtomically(file, encodeNote(file, JSON.stringify(fields)));
}

/** Returns the text of a note: an object as JSON, with a checksum over its other fields and the end of the path. */
export function encodeNote(file: string, text: string): string {
  const fields = text.slice(0, -1);
  return `${fields},"checksum":${checksumOf(file, fields)}}`;
}

/** Returns the fields of a note, or undefined when the file is missing, damaged, or was written for another place. */
export function readNote(file: string): Note | undefined {
  const text = readNoteText(file);
  return text === undefined ? undefined : (JSON.parse(text) as Note);
}

/** Returns the text of a note's fields, which {@link encodeNote} was given, or undefined like {@link readNote}. */
export function readNoteText(file: string): string | undefined {
  const sealed = readText(file) ?? '';
  const end = Math.max(0, sealed.lastIndexOf(',"checksum":'));
  const fields = sealed.slice(0, end);
  return sealed.slice(end) === `,"checksum":${checksumOf(file, fields)}}` ? `${fields}}` : undefined;
}

/**
 * The store may move, so the last directory and the name stand for the path. The parts of the text are not put together, because
 * copying some megabytes takes longer than the sum.
 */
function checksumOf(file: string, fields: string): number {
  const place = crc32(`${file.split('/').slice(-2).join('/')}\0`);
  return crc32('}', crc32(fields, place));
}
