import { type LogicalLine, type Span, rangeOf } from '../logical-lines.ts';
import { syntaxError } from '../syntax-error.ts';
import { isBlank, isSpace } from '../whitespace.ts';
import { readJsonWords, span, splitBlanks, splitQuoted } from '../words.ts';
import type { Arguments } from './request.ts';

/** Splits the text after the flags into words. Throws only where Docker's first pass over a file throws. */
export type Lexer = (line: LogicalLine, rest: Span, escape: string) => Arguments;

/** The rest of the line as one word. */
export const lexText: Lexer = (_line, rest) => ({ words: rest.text === '' ? [] : [rest], json: false });

/** Words between blanks. */
export const lexBlanks: Lexer = (line, rest) => ({ words: splitBlanks(line.text, rest), json: false });

/** Words between spaces; quotes and escapes keep spaces together. */
export const lexQuoted: Lexer = (line, rest, escape) => ({ words: splitQuoted(line.text, rest, escape), json: false });

/** A JSON array, or the rest of the line as one word. */
export const lexJsonOrText: Lexer = (line, rest, escape) => lexJson(line, rest) ?? lexText(line, rest, escape);

/** A JSON array, or words between blanks. */
export const lexJsonOrBlanks: Lexer = (line, rest, escape) => lexJson(line, rest) ?? lexBlanks(line, rest, escape);

/** The first word, then a JSON array or the rest of the line. */
export const lexHealthcheck: Lexer = (line, rest, escape) => {
  let end = rest.start;
  while (end < rest.end && !isSpace(line.text.charCodeAt(end))) end++;
  if (end === rest.start) return { words: [], json: false };
  let next = end;
  while (next < rest.end && isSpace(line.text.charCodeAt(next))) next++;
  const command = lexJsonOrText(line, span(line.text, next, rest.end), escape);
  return { words: [span(line.text, rest.start, end), ...command.words], json: command.json };
};

/** Alternating keys and values: `key=value …`, or the old `key value`, whose value is the rest of the line. */
export const lexPairs: Lexer = (line, rest, escape) => {
  const words = splitQuoted(line.text, rest, escape);
  const [first] = words;
  if (first === undefined) return { words, json: false };
  if (!first.text.includes('=')) return lexLegacyPair(line, rest);
  const pairs: Span[] = [];
  for (const word of words) {
    const equals = word.text.indexOf('=');
    if (equals < 0) {
      const message = `Can't find = in "${word.text}", must be of the form: name=value`;
      throw syntaxError(message, rangeOf(line, word.start, word.end), 'Quote a value that contains blanks');
    }
    const middle = word.start + equals;
    pairs.push(span(line.text, word.start, middle), span(line.text, middle + 1, word.end));
  }
  return { words: pairs, json: false, legacy: false };
};

function lexLegacyPair(line: LogicalLine, rest: Span): Arguments {
  let end = rest.start;
  while (end < rest.end && !isBlank(line.text.charCodeAt(end))) end++;
  let next = end;
  while (next < rest.end && isBlank(line.text.charCodeAt(next))) next++;
  if (next >= rest.end) {
    const keyword = line.text.trimStart().split(/[\t\v\f\r ]/, 1)[0] ?? '';
    const message = `${keyword.toUpperCase()} must have two arguments`;
    throw syntaxError(message, rangeOf(line, rest.start, rest.end), `Write ${keyword.toUpperCase()} NAME=VALUE`);
  }
  return { words: [span(line.text, rest.start, end), span(line.text, next, rest.end)], json: false, legacy: true };
}

function lexJson(line: LogicalLine, rest: Span): Arguments | undefined {
  const json = readJsonWords(line.text, rest);
  if (json === undefined) return undefined;
  if (json !== 'mixed') return { words: json.strings, json: true };
  const message = 'When using JSON array syntax, arrays must be comprised of strings only';
  throw syntaxError(message, rangeOf(line, rest.start, rest.end));
}
