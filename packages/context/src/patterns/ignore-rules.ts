import { cleanPath } from './clean-path.ts';
import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts';

/** How the patterns matched a directory. Its children are matched from it. */
export interface DirectoryMatch {
  /** 0 for the root. */
  readonly depth: number;
  /** Ignored, and no exception can match below it. */
  readonly closed: boolean;
  /** Which patterns matched it or a parent. */
  readonly matched: readonly boolean[];
}

/** Docker's ignore patterns. The last one that matches decides. */
export interface IgnoreRules {
  readonly root: DirectoryMatch;
  /** Whether a line begins with `!`, so that files below an ignored directory may be kept. */
  readonly hasExceptions: boolean;
  /** Reports whether an entry of the directory `parent` is ignored. */
  ignores(parent: DirectoryMatch, path: string): boolean;
  /** Matches a directory, for its children. */
  enter(parent: DirectoryMatch, path: string): DirectoryMatch;
  /** Reports whether an exception may keep something below an ignored directory. */
  mayKeepBelow(directory: string): boolean;
}

/**
 * Returns the patterns of an ignore file. Skips a byte order mark and lines whose first column is `#`. An absolute path is relative
 * to the root.
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

/**
 * Compiles the patterns of an ignore file.
 *
 * @throws TbuildError CONTEXT when a pattern is malformed.
 */
export function compileIgnoreRules(lines: readonly string[]): IgnoreRules {
  const patterns = lines.map(parseIgnorePattern).filter((pattern) => pattern !== undefined);
  const mayKeepBelow = reachOfExceptions(patterns.filter((pattern) => pattern.exception));
  const evaluate = (parent: DirectoryMatch, path: string, found?: boolean[]): boolean =>
    isIgnored(patterns, { parent, path, found });
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
 * If all exceptions are plain paths with at most a glob at their end, compares their text as Docker does, although that overlooks
 * files that `!a/*` + `/**` would keep. Docker descends everywhere otherwise; matching the elements of the patterns has the same
 * result with a shorter walk.
 */
function reachOfExceptions(exceptions: readonly IgnorePattern[]): (directory: string) => boolean {
  const prefixes = exceptions.map((pattern) => `${pattern.text.replace(/\/\*\*$/u, '').replace(/\/\*$/u, '')}/`);
  if (prefixes.some((prefix) => /[*[\]?^\\]/u.test(prefix))) {
    return (directory) => exceptions.some((pattern) => pattern.reachesBelow(directory));
  }
  return (directory) => prefixes.some((prefix) => prefix.startsWith(`${directory}/`));
}

interface Candidate {
  readonly parent: DirectoryMatch;
  readonly path: string;
  /** Receives which patterns match. */
  readonly found?: boolean[];
}

/**
 * Skips a pattern that cannot change the verdict so far, as Docker does. A skipped pattern does not count for the children either.
 */
function isIgnored(patterns: readonly IgnorePattern[], { parent, path, found }: Candidate): boolean {
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
