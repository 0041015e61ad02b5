import { cleanPath } from './clean-path.ts';
import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts';

/** What the patterns said of a directory; its children are judged from it. */
export interface DirectoryMatch {
  /** Depth of the directory: 0 for the root. */
  readonly depth: number;
  /** Ignored, and nothing below it can be taken back. */
  readonly closed: boolean;
  /** Which patterns matched it or a parent. */
  readonly matched: readonly boolean[];
}

/** Docker's ignore patterns; the last one that matches decides. */
export interface IgnoreRules {
  readonly root: DirectoryMatch;
  /** Whether a line begins with `!`, so that below an ignored directory not all is ignored. */
  readonly hasExceptions: boolean;
  /** Whether an entry of the directory `parent` is ignored. */
  ignores(parent: DirectoryMatch, path: string): boolean;
  /** The same for a directory, with what is needed to go on below it. */
  enter(parent: DirectoryMatch, path: string): DirectoryMatch;
  /** Whether something below an ignored directory may be taken back. */
  mayKeepBelow(directory: string): boolean;
}

/**
 * The lines of an ignore file: a byte order mark is skipped, `#` opens a comment only in the first
 * column, an absolute path is taken relative to the root.
 */
export function readIgnoreLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.replace(/^\ufeff/u, '').split(/\r?\n/u)) {
    const trimmed = line.trim();
    if (line.startsWith('#') || trimmed === '') continue;
    const inverted = trimmed.startsWith('!');
    const path = inverted ? trimmed.slice(1).trim() : trimmed;
    const cleaned = path === '' ? '' : cleanPath(path).replace(/^\/(?=.)/su, '');
    lines.push(inverted ? `!${cleaned}` : cleaned);
  }
  return lines;
}

/** @throws TbuildError USAGE when a pattern is malformed. */
export function compileIgnoreRules(lines: readonly string[]): IgnoreRules {
  const patterns = lines.map(parseIgnorePattern).filter((pattern) => pattern !== undefined);
  const mayKeepBelow = reachOfExceptions(patterns.filter((pattern) => pattern.exception));
  const evaluate = (parent: DirectoryMatch, path: string, found?: boolean[]): boolean =>
    judge(patterns, parent, path, found);
  return {
    root: { depth: 0, closed: false, matched: patterns.map(() => false) },
    hasExceptions: patterns.some(({ exception }) => exception),
    ignores: (parent, path) => parent.closed || evaluate(parent, path),
    enter(parent, path) {
      const matched = patterns.map(() => false);
      const ignored = evaluate(parent, path, matched);
      const closed = parent.closed || (ignored && !mayKeepBelow(path));
      return { depth: parent.depth + 1, closed, matched };
    },
    mayKeepBelow,
  };
}

/**
 * While all exceptions are plain paths, but for a glob at their end, Docker goes by their text and so
 * overlooks what `!a/*` + `/**` would keep; its result counts. Otherwise it descends everywhere, for
 * which the elements of the patterns are asked instead: the result is the same, the walk shorter.
 */
function reachOfExceptions(exceptions: readonly IgnorePattern[]): (directory: string) => boolean {
  const prefixes = exceptions.map((pattern) => `${pattern.text.replace(/\/\*\*$/u, '').replace(/\/\*$/u, '')}/`);
  if (prefixes.some((prefix) => /[*[\]?^\\]/u.test(prefix))) {
    return (directory) => exceptions.some((pattern) => pattern.reachesBelow(directory));
  }
  return (directory) => prefixes.some((prefix) => prefix.startsWith(`${directory}/`));
}

/**
 * Docker skips a pattern that could not change the verdict so far, and what it skipped does not count
 * for the children either; both are kept here since results depend on it.
 */
function judge(patterns: readonly IgnorePattern[], parent: DirectoryMatch, path: string, found?: boolean[]): boolean {
  let ignored = false;
  for (let index = 0; index < patterns.length; index++) {
    const pattern = patterns[index];
    if (pattern === undefined) continue;
    if (parent.matched[index] !== true) {
      if (pattern.exception !== ignored) continue;
      if (!pattern.matches(path, parent.depth + 1)) continue;
    }
    if (found !== undefined) found[index] = true;
    ignored = !pattern.exception;
  }
  return ignored;
}
