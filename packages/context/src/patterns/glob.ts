import { TbuildError } from '@tbuild/errors';
import { compilePathExpression, type PathExpression } from './path-expression.ts';

/** Reports whether a path or path element has an unescaped wildcard of Go's `filepath.Match`. */
export function hasWildcard(pattern: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/su.test(pattern);
}

/**
 * Compiles a pattern of Go's `filepath.Match`: `*` and `?` stop at slashes, only `^` negates a class, a backslash escapes.
 *
 * @throws TbuildError CONTEXT for patterns that Go refuses: an open or empty class, a trailing backslash.
 */
export function compileGlob(pattern: string): PathExpression {
  let source = '';
  for (const [token, escaped, negated, body] of tokens(pattern)) {
    if (body !== undefined) source += compileClass(body, negated === '^');
    else if (escaped !== undefined) source += quote(escaped);
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else source += quote(token);
  }
  return compilePathExpression(source, 'su');
}

const CLASS_MEMBER = String.raw`(?:\\.|[^\]\\-])`;
const CLASS_BODY = `(?:${CLASS_MEMBER}(?:-${CLASS_MEMBER})?)+`;
/** One token: an escaped character, a class with its negation and body, or any other character. */
const TOKEN = new RegExp(String.raw`\\(.)|\[(\^?)(${CLASS_BODY})\]|[^\\[]`, 'suy');

function* tokens(pattern: string): Iterable<readonly [string, string?, string?, string?]> {
  TOKEN.lastIndex = 0;
  for (let at = 0; at < pattern.length;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(pattern);
    if (match === null)
      throw new TbuildError('CONTEXT', `Pattern ${JSON.stringify(pattern)} has a syntax error`, {
        hint: 'Close its "["; a JSON array needs double quotes, commas and "]"',
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
  return `[${negated ? '^' : ''}${ranges}]`;
}

function codePoint(member: string): number {
  return (member.startsWith('\\') ? member.slice(1) : member).codePointAt(0) ?? 0;
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}
