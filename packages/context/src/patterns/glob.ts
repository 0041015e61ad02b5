import { TbuildError } from '@tbuild/errors';
import { ANY_CHARACTER, compilePathExpression, quote, type Part, type PathExpression } from './path-expression.ts';

/** Reports whether a path or path element has an unescaped wildcard of Go's `filepath.Match`. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/su.test(pattern);
}

/**
 * Compiles a pattern of Go's `filepath.Match`: `*` and `?` stop at slashes, only `^` negates a class, a backslash escapes.
 *
 * @throws TbuildError CONTEXT for patterns that Go refuses: an open or empty class, a trailing backslash. Names the whole pattern.
 */
export function compileGlob(pattern: string, whole = pattern): PathExpression {
  return compilePathExpression(Array.from(tokens(pattern, whole), partOf));
}

function partOf([token, escaped, negated, body]: Token): Part {
  if (token === '*') return { kind: 'repeated', atom: String.raw`[^\/]` };
  if (token === '?') return { kind: 'once', atom: String.raw`[^\/]` };
  return { kind: 'once', atom: body === undefined ? quote(escaped ?? token) : compileClass(body, negated === '^') };
}

type Token = readonly [whole: string, escaped?: string, negated?: string, body?: string];

const CLASS_MEMBER = String.raw`(?:\\.|[^\]\\-])`;
const CLASS_BODY = `(?:${CLASS_MEMBER}(?:-${CLASS_MEMBER})?)+`;
/** One token: an escaped character, a class with its negation and body, or any other character. */
const TOKEN = new RegExp(String.raw`\\(.)|\[(\^?)(${CLASS_BODY})\]|[^\\[]`, 'suy');

function* tokens(pattern: string, whole: string): Iterable<Token> {
  TOKEN.lastIndex = 0;
  for (let at = 0; at < pattern.length;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(pattern);
    if (match === null)
      throw new TbuildError('CONTEXT', `Pattern ${JSON.stringify(whole)} has a syntax error`, {
        hint:
          pattern.slice(at) === '\\'
            ? 'Separate directories by "/": a backslash escapes the next character'
            : 'Close its "["; a JSON array needs double quotes, commas and "]"',
      });
    at = TOKEN.lastIndex;
    yield [match[0], match[1], match[2], match[3]];
  }
}

const CLASS_RANGE = new RegExp(`(${CLASS_MEMBER})(?:-(${CLASS_MEMBER}))?`, 'suy');

function compileClass(body: string, negated: boolean): string {
  let ranges = '';
  CLASS_RANGE.lastIndex = 0;
  for (let match = CLASS_RANGE.exec(body); match !== null; match = CLASS_RANGE.exec(body)) {
    const low = codePoint(match[1] ?? '');
    const high = match[2] === undefined ? low : codePoint(match[2]);
    // In Go a reversed range matches nothing.
    if (low <= high) ranges += `\\u{${low.toString(16)}}-\\u{${high.toString(16)}}`;
  }
  if (ranges === '') return negated ? ANY_CHARACTER : '[]';
  return `[${negated ? '^' : ''}${ranges}]`;
}

function codePoint(member: string): number {
  return (member.startsWith('\\') ? member.slice(1) : member).codePointAt(0) ?? 0;
}
