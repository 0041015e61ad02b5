import { cleanPath } from './clean-path.ts';
import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts';

/** How the patterns matched a directory. Its children are matched from it. */
export interface DirectoryMatch {
  /** 0 for the root. */
  readonly depth: number;
  /** Ignored, and no exception can match below it. */
  readonly closed: boolean;
  /** The patterns that may match its entries, in their order. */
  readonly patterns: readonly LivePattern[];
}

/** A pattern that may match the entries of a directory. */
interface LivePattern {
  readonly pattern: IgnorePattern;
  /** Whether it matched the directory or a parent, and so matches every entry. */
  readonly isInherited: boolean;
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
  /** Reports whether {@link mayKeepBelow} can be true for an entry of the directory `parent`. */
  mayKeepBelowEntries(parent: DirectoryMatch): boolean;
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
  const exceptions = patterns.filter(({ exception }) => exception);
  const { deepest, mayKeepBelow } = reachOfExceptions(exceptions);
  return {
    root: { depth: 0, closed: false, patterns: livePatterns(patterns, { path: '', depth: 0 }) },
    hasExceptions: exceptions.length > 0,
    ignores: (parent, path) => parent.closed || isIgnored(parent, path),
    enter(parent, path) {
      const depth = parent.depth + 1;
      const matched = new Set<IgnorePattern>();
      const ignored = isIgnored(parent, path, matched);
      const closed = parent.closed || (ignored && !mayKeepBelow(path));
      return { depth, closed, patterns: closed ? [] : livePatterns(patterns, { path, depth, matched }) };
    },
    mayKeepBelow,
    mayKeepBelowEntries: ({ depth }) => depth < deepest,
  };
}

interface MatchedDirectory {
  readonly path: string;
  readonly depth: number;
  readonly matched?: ReadonlySet<IgnorePattern>;
}

function livePatterns(patterns: readonly IgnorePattern[], { path, depth, matched }: MatchedDirectory): LivePattern[] {
  return patterns
    .map((pattern) => ({ pattern, isInherited: matched?.has(pattern) === true }))
    .filter(({ pattern, isInherited }) => isInherited || pattern.mayMatchIn(path, depth));
}

/** The directories below which an exception may keep something. */
interface Reach {
  /** The number of elements of the longest path of such a directory. */
  readonly deepest: number;
  mayKeepBelow(directory: string): boolean;
}

/**
 * If all exceptions are plain paths with at most a glob at their end, compares their text as Docker does, although that overlooks
 * files that `!a/*` + `/**` would keep. Docker descends everywhere otherwise; matching the elements of the patterns has the same
 * result with a shorter walk.
 */
function reachOfExceptions(exceptions: readonly IgnorePattern[]): Reach {
  const prefixes = exceptions.map(({ text }) => text.replace(/\/\*\*$/u, '').replace(/\/\*$/u, ''));
  if (prefixes.some((prefix) => /[*[\]?^\\]/u.test(prefix))) {
    return {
      deepest: Math.max(...exceptions.map(({ depth }) => depth - 1)),
      mayKeepBelow: (directory) => exceptions.some((pattern) => pattern.reachesBelow(directory)),
    };
  }
  return {
    deepest: Math.max(0, ...prefixes.map((prefix) => prefix.split('/').length)),
    mayKeepBelow: (directory) => prefixes.some((prefix) => `${prefix}/`.startsWith(`${directory}/`)),
  };
}

/**
 * Skips a pattern that cannot change the verdict so far, as Docker does. A skipped pattern does not count for the children either.
 * Adds those that match to `matched`.
 */
function isIgnored({ patterns, depth }: DirectoryMatch, path: string, matched?: Set<IgnorePattern>): boolean {
  let ignored = false;
  for (const { pattern, isInherited } of patterns) {
    if (!isInherited && (pattern.exception !== ignored || !pattern.matches(path, depth + 1))) continue;
    matched?.add(pattern);
    ignored = !pattern.exception;
  }
  return ignored;
}
