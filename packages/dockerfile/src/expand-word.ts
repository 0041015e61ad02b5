import { TbuildError } from '@tbuild/errors';
import { substitute } from './substitution.ts';
import { lexText } from './word-lexer.ts';
import { createWordList, finishWords, type WordList } from './word-list.ts';

/** Returns the value of a variable, or undefined if it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  /** The escape character of the Dockerfile; a backslash by default. */
  readonly escape?: '\\' | '`';
  /** False for heredoc bodies: quotes are text there, while escapes and variables keep their meaning. */
  readonly quotes?: boolean;
  /** Called for each use of an unset variable, even if the word gives a default. */
  readonly onUnset?: (name: string) => void;
  /** For display only: keeps quotes, escapes and uses of unset variables. */
  readonly keepQuotes?: boolean;
  readonly keepEscapes?: boolean;
  readonly keepUnset?: boolean;
}

/**
 * Expands the variables in `word` and removes quotes and escapes, by the rules of Docker's shell lexer.
 * Throws DOCKERFILE_SEMANTICS for bad substitutions, unknown modifiers, open quotes and `${name:?}`.
 */
export function expandWord(word: string, lookup: Lookup, options: ExpandOptions = {}): string {
  return expand(word, lookup, options);
}

/** The same as {@link expandWord}, then splits at blanks that are neither quoted nor escaped. */
export function expandWords(word: string, lookup: Lookup, options: ExpandOptions = {}): string[] {
  const words = createWordList();
  expand(word, lookup, { ...options, words });
  return finishWords(words);
}

function expand(word: string, lookup: Lookup, { words, ...options }: ExpandOptions & { words?: WordList }): string {
  const { escape = '\\', keepEscapes = false } = options;
  const state = { at: 0, keepEscapes, depth: 0 };
  try {
    return lexText({ source: word, options: { ...options, lookup }, escape, substitute, ...state }, { words });
  } catch (error) {
    if (!(error instanceof TbuildError)) throw error;
    throw new TbuildError(error.code, `Failed to process ${JSON.stringify(word)}: ${error.message}`, {
      hint: error.hint,
    });
  }
}
