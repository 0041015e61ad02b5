import { TbuildError } from '@tbuild/errors';
import ignore from 'ignore';
import { cleanPath } from './clean-path.ts';
import { compileGlob } from './glob.ts';
import { parseGoExpression } from './go-expression.ts';
import { ANY_CHARACTER, compilePathExpression, type Part, type PathExpression } from './path-expression.ts';
import { type PatternReach, reachOf } from './pattern-reach.ts';

/** One line of an ignore file, as Docker reads it: anchored at the root. Does not consider parents. */
export interface IgnorePattern extends PatternReach {
  /** The cleaned pattern without its `!`. */
  readonly text: string;
  /** Whether it includes again what earlier patterns ignored. */
  readonly exception: boolean;
  /** Reports whether it matches this path itself. `depth` is the number of its elements. */
  matches(path: string, depth: number): boolean;
}

/**
 * Parses a pattern of a `.dockerignore`. Returns undefined for an empty line.
 *
 * @throws TbuildError CONTEXT for `!` alone, for patterns that Go's `filepath.Match` refuses, and for one that is too long.
 */
export function parseIgnorePattern(line: string): IgnorePattern | undefined {
  const trimmed = line.trim();
  if (trimmed === '') return undefined;
  if (trimmed.length > LONGEST)
    throw new TbuildError('CONTEXT', `An ignore pattern has more than ${LONGEST} characters`);
  const cleaned = cleanPath(trimmed);
  const exception = cleaned.startsWith('!');
  const text = exception ? cleaned.slice(1) : cleaned;
  if (text === '') throw new TbuildError('CONTEXT', 'Ignore pattern "!" names no path');
  requireGoSyntax(text);
  return { text, exception, matches: matcherOf(text), ...reachOf(text) };
}

/** Docker reads no longer line. */
const LONGEST = 64 * 1024;

/** Go checks a pattern from `*` to `*`, until a part of it does not match the path `.`. */
function requireGoSyntax(text: string): void {
  let name = '.';
  for (const [chunk] of text.matchAll(/(?:\\.?|\[(?:\\.?|[^\]\\])*\]?|[^\\[*])+/gsu)) {
    if (!compileGlob(chunk, text).test(name)) return;
    name = '';
  }
}

type Matcher = IgnorePattern['matches'];

/** Compares text where Docker does: for literals and for one leading or trailing `**`. */
function matcherOf(text: string): Matcher {
  const rest = text.replaceAll('**', '');
  const literal = !/[*?[\]\\]/u.test(rest);
  if (literal && !text.includes('**')) return (path) => path === text;
  if (literal && /^\*\*[^*]*$/u.test(text)) return suffixMatcher(text.slice(2));
  if (literal && /^[^*]*\*\*$/u.test(text)) {
    const prefix = text.slice(0, -2);
    return (path) => path.startsWith(prefix);
  }
  if (!/\*\*|\*.*\*.*\*|[[\]\\\r^|]|\s$/su.test(text)) return fixedDepthMatcher(text);
  const pattern = compileDeepGlob(text);
  const suffix = text.replace(/^.*\|.*|^.*(?:\\[xpP]..?|\\[0-7]{1,3}|\\.|[*?[\]\\^])/su, '').replace(/^\//u, '');
  return (path) => path.endsWith(suffix) && pattern.test(path);
}

function suffixMatcher(suffix: string): Matcher {
  const whole = suffix.startsWith('/') ? suffix.slice(1) : undefined;
  return (path) => path.endsWith(suffix) || path === whole;
}

/**
 * Matches a pattern without `**`, which matches paths of its own depth only. The `ignore` package agrees with Docker there. It is
 * called last because it remembers each path, and only for patterns with at most two `*` because its time is exponential in their
 * number.
 */
function fixedDepthMatcher(text: string): Matcher {
  const rules = ignore({ ignorecase: false }).add(`/${text}`);
  const patternDepth = text.split('/').length;
  const prefix = text.slice(0, text.search(/[*?]/u));
  const suffix = text.slice(Math.max(text.lastIndexOf('*'), text.lastIndexOf('?')) + 1);
  return (path, depth) =>
    depth === patternDepth && path.startsWith(prefix) && path.endsWith(suffix) && rules.ignores(path);
}

/**
 * Translates as Docker does: `**` with its slash is any number of elements, at the end anything. Brackets, escapes and `|` stay for
 * Go's regular expressions. Only the first alternative is anchored at the start, and only the last one at the end.
 */
function compileDeepGlob(text: string): PathExpression {
  const source = text.replace(/\*\*\/?|[*?]|\\.|[.+(){}$]/gsu, (token, at: number) => {
    if (token.startsWith('**')) return at + token.length === text.length ? '.*' : '(.*/)?';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return token.startsWith('\\') ? token : `\\${token}`;
  });
  try {
    const alternatives = parseGoExpression(source).map((parts, at, { length }) =>
      compilePathExpression([...(at > 0 ? [ANYTHING] : []), ...parts, ...(at < length - 1 ? [ANYTHING] : [])]),
    );
    return { test: (path) => alternatives.some((alternative) => alternative.test(path)) };
  } catch (cause) {
    const hint = /\\(?:[A-Za-z0-9]|$)/u.test(text)
      ? 'Separate directories by "/": a backslash escapes the next character'
      : undefined;
    throw new TbuildError('CONTEXT', `Pattern ${JSON.stringify(text)} has a syntax error`, { cause, hint });
  }
}

const ANYTHING: Part = { kind: 'repeated', atom: ANY_CHARACTER };
