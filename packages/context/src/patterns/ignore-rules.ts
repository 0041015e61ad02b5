import { cleanPath } from './clean-path.ts';
import { type IgnorePattern, parseIgnorePattern } from './ignore-pattern.ts';
import { type Names, unionOf } from './pattern-reach.ts';

/** How the patterns matched a directory. Its children are matched from it. */
export interface DirectoryMatch {
  /** 0 for the root. */
  readonly depth: number;
  /** Ignored, and no exception can match below it. */
  readonly closed: boolean;
  /** The patterns that may match its entries, in their order. */
  readonly patterns: readonly LivePattern[];
  /** The names of the entries that may not be ignored. */
  readonly kept: Names;
  /** The names of the entries for which {@link IgnoreRules.mayKeepBelow} may be true. */
  readonly keptBelow: Names;
}

/** A pattern that may match the entries of a directory. */
interface LivePattern {
  readonly pattern: IgnorePattern;
  /** Whether it matched the directory or a parent, and so matches every entry. */
  readonly isInherited: boolean;
  /** The names of the entries that it may match. */
  readonly names: Names;
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
  const exceptions = patterns.filter(({ exception }) => exception);
  const { mayKeepBelow, namesAbove } = reachOfExceptions(exceptions);
  const matchEntries = (directory: readonly string[], matched?: ReadonlySet<IgnorePattern>): DirectoryMatch => {
    const live = livePatterns(patterns, directory, matched);
    const names = { kept: keptNames(live), keptBelow: namesAbove(directory) };
    return { depth: directory.length, closed: false, patterns: live, ...names };
  };
  return {
    root: matchEntries([]),
    hasExceptions: exceptions.length > 0,
    ignores: (parent, path) => parent.closed || isIgnored(parent, path),
    enter(parent, path) {
      const matched = new Set<IgnorePattern>();
      const ignored = isIgnored(parent, path, matched);
      if (parent.closed || (ignored && !mayKeepBelow(path))) return closed(parent.depth + 1);
      return matchEntries(path.split('/'), matched);
    },
    mayKeepBelow,
  };
}

const NONE: ReadonlySet<string> = new Set();

function closed(depth: number): DirectoryMatch {
  return { depth, closed: true, patterns: [], kept: NONE, keptBelow: NONE };
}

function livePatterns(
  patterns: readonly IgnorePattern[],
  directory: readonly string[],
  matched?: ReadonlySet<IgnorePattern>,
): LivePattern[] {
  return patterns
    .map((pattern) => ({
      pattern,
      isInherited: matched?.has(pattern) === true,
      names: pattern.namesIn(directory),
    }))
    .filter(({ isInherited, names }) => isInherited || names?.size !== 0);
}

/** After a pattern that ignores every entry, only the exceptions that follow it keep some. */
function keptNames(patterns: readonly LivePattern[]): Names {
  const last = patterns.findLastIndex(({ isInherited }) => isInherited);
  if (patterns[last]?.pattern.exception !== false) return undefined;
  return unionOf(patterns.slice(last + 1).flatMap(({ pattern, names }) => (pattern.exception ? [names] : [])));
}

/** The directories below which an exception may keep something. */
interface Reach extends Pick<IgnoreRules, 'mayKeepBelow'> {
  /** Returns the names of the entries of a directory, given by the elements of its path, that are such directories. */
  namesAbove(directory: readonly string[]): Names;
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
      mayKeepBelow(directory) {
        const elements = directory.split('/');
        return exceptions.some((pattern) => pattern.reachesBelow(elements));
      },
      namesAbove: (directory) => unionOf(exceptions.map((pattern) => pattern.namesAbove(directory))),
    };
  }
  const paths = prefixes.map((prefix) => prefix.split('/'));
  return {
    mayKeepBelow: (directory) => prefixes.some((prefix) => `${prefix}/`.startsWith(`${directory}/`)),
    namesAbove: (directory) => unionOf(paths.map((path) => nextElement(path, directory))),
  };
}

function nextElement(path: readonly string[], directory: readonly string[]): ReadonlySet<string> {
  const next = path[directory.length];
  return next !== undefined && directory.every((name, at) => name === path[at]) ? new Set([next]) : NONE;
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
