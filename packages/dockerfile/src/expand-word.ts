import { TbuildError } from '@tbuild/errors';
import { substitute } from './substitution.ts';
import { lexText } from './word-lexer.ts';
import { createWordList, finishWords } from './word-list.ts';
import type { WordList } from './word-list.ts';

/** The value of a variable, or undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

export interface ExpandOptions {
  /** The Dockerfile's escape character; a backslash by default. */
  readonly escape?: '\\' | '`';
  /** False for heredoc bodies: quotes are text, while escapes and variables still count. */
  readonly quotes?: boolean;
  /** Called for each use of a variable that is not set, also where the word gives a default. */
  readonly onUnset?: (name: string) => void;
  /** For texts that are only shown: leave quotes, escapes, uses of unset variables as they are. */
  readonly keepQuotes?: boolean;
  readonly keepEscapes?: boolean;
  readonly keepUnset?: boolean;
}

/**
 * `word` with variables replaced and quotes and escapes removed, by the rules of Docker's shell lexer.
 * Throws DOCKERFILE_SEMANTICS for bad substitutions, unknown modifiers, open quotes and `${name:?}`.
 */
export function expandWord(word: string, lookup: Lookup, options: ExpandOptions = {}): string {
  return expand(word, lookup, options);
}

/** Like {@link expandWord}, then split at blanks that were neither quoted nor escaped. */
export function expandWords(word: string, lookup: Lookup, options: ExpandOptions = {}): string[] {
  const words = createWordList();
  expand(word, lookup, options, words);
  return finishWords(words);
}

function expand(word: string, lookup: Lookup, options: ExpandOptions, words?: WordList): string {
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
