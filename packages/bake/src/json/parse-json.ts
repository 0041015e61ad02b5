import { errorAt, type BakeFile, type Span } from '../source.ts';

/** A value of a JSON file and its place. */
export type JsonNode = { readonly span: Span } & (
  | { readonly kind: 'literal'; readonly value: null | boolean }
  /** The digits as they are written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly fields: readonly JsonField[] }
);

export interface JsonField {
  readonly name: string;
  readonly span: Span;
  readonly value: JsonNode;
}

interface Reader {
  readonly file: BakeFile;
  at: number;
  depth: number;
}

const DEEPEST = 200;

/**
 * Parses a JSON file.
 * @throws TbuildError BAKE_FILE, with the place.
 */
export function parseJson(file: BakeFile): JsonNode {
  const reader: Reader = { file, at: 0, depth: 0 };
  skipBlanks(reader);
  const value = readValue(reader);
  skipBlanks(reader);
  if (reader.at < file.text.length) throw unexpected(reader, 'the end of the file');
  return value;
}

function skipBlanks(reader: Reader): void {
  while (/[\s\uFEFF]/.test(reader.file.text.charAt(reader.at))) reader.at++;
}

function unexpected({ file, at }: Reader, expected: string): Error {
  const found = at < file.text.length ? JSON.stringify(file.text.charAt(at)) : 'the end of the file';
  const start = Math.min(at, Math.max(0, file.text.length - 1));
  return errorAt({ file, span: { start, end: start + 1 } }, `Invalid JSON: expected ${expected}, found ${found}`);
}

function readValue(reader: Reader): JsonNode {
  const start = reader.at;
  const char = reader.file.text.charAt(start);
  if (char === '{' || char === '[') {
    if (++reader.depth > DEEPEST) throw unexpected(reader, `at most ${DEEPEST} levels`);
    const value = char === '{' ? readObject(reader) : readArray(reader);
    reader.depth--;
    return value;
  }
  if (char === '"') return { kind: 'string', value: readString(reader), span: { start, end: reader.at } };
  const word = take(reader, /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y);
  if (word === undefined) throw unexpected(reader, 'a value');
  const span = { start, end: reader.at };
  if (/\d/.test(word)) return { kind: 'number', text: word, span };
  return { kind: 'literal', value: word === 'null' ? null : word === 'true', span };
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at;
  const text = pattern.exec(reader.file.text)?.[0];
  reader.at += text?.length ?? 0;
  return text;
}

function readString(reader: Reader): string {
  const { file, at: start } = reader;
  // oxlint-disable-next-line no-control-regex
  const text = take(reader, /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y);
  if (text === undefined)
    throw errorAt({ file, span: { start, end: start + 1 } }, 'Invalid JSON: a string has no end, or an invalid escape');
  return String(JSON.parse(text));
}

function readArray(reader: Reader): JsonNode {
  const start = reader.at++;
  const items: JsonNode[] = [];
  readItems(reader, ']', () => items.push(readValue(reader)));
  return { kind: 'array', items, span: { start, end: reader.at } };
}

function readObject(reader: Reader): JsonNode {
  const start = reader.at++;
  const fields: JsonField[] = [];
  readItems(reader, '}', () => fields.push(readField(reader)));
  return { kind: 'object', fields, span: { start, end: reader.at } };
}

function readField(reader: Reader): JsonField {
  const start = reader.at;
  if (reader.file.text.charAt(start) !== '"') throw unexpected(reader, 'a name in quotes');
  const name = readString(reader);
  const span = { start, end: reader.at };
  skipBlanks(reader);
  if (take(reader, /:/y) === undefined) throw unexpected(reader, '":"');
  skipBlanks(reader);
  return { name, span, value: readValue(reader) };
}

/** Reads what commas separate, up to the closing bracket. */
function readItems(reader: Reader, close: ']' | '}', readItem: () => void): void {
  const closing = close === ']' ? /\]/y : /\}/y;
  skipBlanks(reader);
  if (take(reader, closing) !== undefined) return;
  for (;;) {
    readItem();
    skipBlanks(reader);
    if (take(reader, closing) !== undefined) return;
    const span = { start: reader.at, end: reader.at + 1 };
    if (take(reader, /,/y) === undefined) throw unexpected(reader, `"," or ${JSON.stringify(close)}`);
    skipBlanks(reader);
    if (reader.file.text.charAt(reader.at) !== close) continue;
    throw errorAt({ file: reader.file, span }, 'Invalid JSON: no comma may follow the last value', 'Remove the comma');
  }
}
