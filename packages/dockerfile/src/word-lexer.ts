import { TbuildError } from '@tbuild/errors';
import { isBlank } from './whitespace.ts';
import { addLiteral, addText, type WordList } from './word-list.ts';

/** The rules for one word; see ExpandOptions for their meaning. */
interface LexerOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape?: '\\' | '`';
  readonly quotes?: boolean;
  readonly onUnset?: (name: string) => void;
  readonly keepQuotes?: boolean;
  readonly keepEscapes?: boolean;
  readonly keepUnset?: boolean;
}

/** A position in a word that is being expanded. */
export interface Lexer {
  readonly source: string;
  readonly options: LexerOptions;
  readonly escape: '\\' | '`';
  /** Expands the `$…` at the lexer. Passed in, since words and substitutions contain each other. */
  readonly substitute: (lexer: Lexer) => string;
  at: number;
  /** Patterns keep their escapes until they are parsed as patterns. */
  keepEscapes: boolean;
  depth: number;
}

export interface TextOptions {
  /** The character that ends the text; without it the text ends with the word. */
  readonly stop?: '}' | '/';
  readonly keepEscapes?: boolean;
  readonly words?: WordList;
}

// Docker has no limit. This one keeps hostile nesting from overflowing the stack.
const MAX_DEPTH = 500;

/** Creates an error of expansion. */
export function expansionError(message: string): TbuildError {
  return new TbuildError('DOCKERFILE_SEMANTICS', message);
}

/** Expands up to and including the stop character, or to the end of the word. */
export function lexText(lexer: Lexer, { stop, keepEscapes = lexer.keepEscapes, words }: TextOptions): string {
  const outer = lexer.keepEscapes;
  lexer.keepEscapes = keepEscapes;
  if (++lexer.depth > MAX_DEPTH) throw expansionError('substitutions are nested too deeply');
  let result = '';
  while (lexer.at < lexer.source.length) {
    const character = lexer.source.charAt(lexer.at);
    if (character === stop) {
      lexer.at++;
      lexer.keepEscapes = outer;
      lexer.depth--;
      return result;
    }
    result += lexPart(lexer, character, { stop, words });
  }
  if (stop !== undefined) throw expansionError(`unexpected end of statement while looking for matching ${stop}`);
  return result;
}

function lexPart(lexer: Lexer, character: string, { stop, words }: TextOptions): string {
  const quotes = lexer.options.quotes !== false;
  if (character === '$') {
    const value = lexer.substitute(lexer);
    if (words !== undefined) addText(words, value);
    return value;
  }
  if (character === lexer.escape) return lexEscape(lexer, words);
  let text: string;
  if (quotes && character === "'") text = lexSingleQuoted(lexer);
  else if (quotes && character === '"') text = lexDoubleQuoted(lexer);
  else if (words !== undefined && lexer.source.startsWith('<<', lexer.at)) text = lexHeredocMark(lexer);
  else {
    text = lexPlain(lexer, { stop, words });
    if (words !== undefined) addText(words, text);
    return text;
  }
  if (words !== undefined) addLiteral(words, text);
  return text;
}

/** Reads the longest run, at least one character, without special characters. */
function lexPlain(lexer: Lexer, { stop, words }: TextOptions): string {
  const { source } = lexer;
  const start = lexer.at;
  lexer.at++;
  while (lexer.at < source.length) {
    const character = source.charAt(lexer.at);
    if (character === '$' || character === "'" || character === '"' || character === lexer.escape) break;
    if (character === stop || (character === '<' && words !== undefined)) break;
    lexer.at++;
  }
  return source.slice(start, lexer.at);
}

/** Outside quotes, removes the escape character and the special meaning of the next character. */
function lexEscape(lexer: Lexer, words: WordList | undefined): string {
  const kept = lexer.keepEscapes ? lexer.escape : '';
  lexer.at++;
  const text = kept + takeCharacter(lexer);
  if (words !== undefined) addLiteral(words, text);
  return text;
}

/** Reads `<<` and the blanks after it, which belong to the word of the heredoc. */
function lexHeredocMark(lexer: Lexer): string {
  const start = lexer.at;
  lexer.at += 2;
  while (isBlank(lexer.source.charCodeAt(lexer.at))) lexer.at++;
  return lexer.source.slice(start, lexer.at);
}

function lexSingleQuoted(lexer: Lexer): string {
  const { source, at: start } = lexer;
  const end = source.indexOf("'", start + 1);
  if (end < 0) throw endsInQuote(lexer, 'single');
  lexer.at = end + 1;
  return lexer.options.keepQuotes === true ? source.slice(start, end + 1) : source.slice(start + 1, end);
}

function lexDoubleQuoted(lexer: Lexer): string {
  const { source } = lexer;
  const quote = lexer.options.keepQuotes === true ? '"' : '';
  lexer.at++;
  let result = quote;
  for (;;) {
    if (lexer.at >= source.length) throw endsInQuote(lexer, 'double');
    const character = source.charAt(lexer.at);
    if (character === '"') {
      lexer.at++;
      return result + quote;
    }
    if (character === '$') result += lexer.substitute(lexer);
    else if (character === lexer.escape) result += lexQuotedEscape(lexer);
    else {
      const start = lexer.at;
      while (lexer.at < source.length && !isSpecialInQuotes(lexer, source.charAt(lexer.at))) lexer.at++;
      result += source.slice(start, lexer.at);
    }
  }
}

function isSpecialInQuotes(lexer: Lexer, character: string): boolean {
  return character === '"' || character === '$' || character === lexer.escape;
}

/** Inside double quotes the escape character is text unless it precedes a special character. */
function lexQuotedEscape(lexer: Lexer): string {
  const kept = lexer.keepEscapes ? lexer.escape : '';
  lexer.at++;
  if (lexer.at >= lexer.source.length) return kept;
  const next = lexer.source.charAt(lexer.at);
  if (!isSpecialInQuotes(lexer, next)) return kept + lexer.escape;
  lexer.at++;
  return kept + next;
}

function endsInQuote(lexer: Lexer, kind: 'single' | 'double'): TbuildError {
  lexer.at = lexer.source.length;
  return expansionError(`unexpected end of statement while looking for matching ${kind}-quote`);
}

function takeCharacter(lexer: Lexer): string {
  const code = lexer.source.codePointAt(lexer.at);
  if (code === undefined) return '';
  const character = String.fromCodePoint(code);
  lexer.at += character.length;
  return character;
}
