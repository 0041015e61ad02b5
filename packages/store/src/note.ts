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
  return `${text.slice(0, -1)},"checksum":${checksumOf(file, text)}}`;
}

/** Returns the fields of a note, or undefined when the file is missing, damaged, or was written for another place. */
export function readNote(file: string): Note | undefined {
  const [, body, checksum] = SEALED.exec(readText(file) ?? '') ?? [];
  if (body === undefined || Number(checksum) !== checksumOf(file, `${body}}`)) return undefined;
  return JSON.parse(`${body}}`) as Note;
}

const SEALED = /^(\{.+),"checksum":(\d+)\}$/s;

/** The store may move, so the last directory and the name stand for the path. */
function checksumOf(file: string, text: string): number {
  return crc32(`${file.split('/').slice(-2).join('/')}\0${text}`);
}
