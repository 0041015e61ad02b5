import type { Span } from './logical-lines.ts';
import { isBlank, isSpace, skipSpaces, skipSpacesBack } from './whitespace.ts';

/** Returns the part of a text between two offsets. */
export function span(text: string, start: number, end: number): Span {
  return { text: text.slice(start, end), start, end };
}

/** Returns a part of a line without surrounding spaces. */
export function trimmed(text: string, start: number, end: number): Span {
  const from = skipSpaces(text, start, end);
  return span(text, from, skipSpacesBack(text, from, end));
}

/** Splits at runs of blanks, and ignores quotes. */
export function splitBlanks(line: string, rest: Span): Span[] {
  const words: Span[] = [];
  for (let at = rest.start; at < rest.end;) {
    const start = at;
    while (at < rest.end && !isBlank(line.charCodeAt(at))) at++;
    words.push(span(line, start, at));
    while (at < rest.end && isBlank(line.charCodeAt(at))) at++;
  }
  return words;
}

/** Splits at spaces outside quotes. Quotes and escapes stay in the words. */
export function splitQuoted(line: string, rest: Span, escape: string): Span[] {
  const words: Span[] = [];
  for (let at = rest.start; ;) {
    const start = skipSpaces(line, at, rest.end);
    if (start >= rest.end) return words;
    const end = wordEnd(line, start, { end: rest.end, escape });
    const word = span(line, start, end);
    // An escape character at the very end escapes nothing and is dropped.
    const dangling = end === rest.end && endsInEscape(word.text, escape);
    if (!dangling) words.push(word);
    else if (word.text.length > 1) words.push(span(line, start, end - 1));
    at = end;
  }
}

function wordEnd(line: string, start: number, { end, escape }: { end: number; escape: string }): number {
  let quote = '';
  let at = start;
  while (at < end) {
    const character = line.charAt(at);
    if (quote === '' && isSpace(line.charCodeAt(at))) return at;
    if (character === escape && quote !== "'") {
      at += 2;
      continue;
    }
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    at++;
  }
  return end;
}

/** Returns whether the last character is an unescaped escape character outside single quotes. */
function endsInEscape(word: string, escape: string): boolean {
  if (!word.endsWith(escape)) return false;
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const character = word.charAt(at);
    if (character === escape && quote !== "'") {
      at++;
      if (at >= word.length) return true;
    } else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
  }
  return false;
}

/** The strings of a JSON array; `mixed` for an array with other values. */
export type JsonWords = { readonly strings: readonly Span[] } | 'mixed' | undefined;

/** Parses a JSON array of strings with their ranges; undefined for any other text. */
export function readJsonWords(line: string, rest: Span): JsonWords {
  if (!rest.text.startsWith('[')) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(rest.text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!Array.isArray(values)) return undefined;
  const strings: Span[] = [];
  let at = rest.start;
  for (const value of values) {
    if (typeof value !== 'string') return 'mixed';
    const start = line.indexOf('"', at);
    at = stringEnd(line, start);
    strings.push({ text: value, start, end: at });
  }
  return { strings };
}

function stringEnd(line: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const character = line.charAt(at);
    if (character === '\\') at++;
    else if (character === '"') return at + 1;
  }
}
