import { TbuildError } from '@tbuild/errors';

/** Looks a variable up. */
export type Lookup = (name: string) => string | undefined;

/**
 * Replaces `$NAME` and `${NAME…}` in a value of a compose file.
 * @throws TbuildError BAKE_FILE for an invalid form, and for a required variable that is missing.
 */
export function interpolate(text: string, lookup: Lookup): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf('$', at);
    if (next < 0) break;
    result += text.slice(at, next);
    const { value, end } = substitute(text, next, lookup);
    result += value;
    at = end;
  }
  return result + text.slice(at);
}

interface Substitution {
  readonly value: string;
  readonly end: number;
}

const NAME = /[A-Za-z_]\w*/y;

function nameAt(text: string, at: number): string | undefined {
  NAME.lastIndex = at;
  return NAME.exec(text)?.[0];
}

function substitute(text: string, at: number, lookup: Lookup): Substitution {
  if (text.charAt(at + 1) === '$') return { value: '$', end: at + 2 };
  if (text.charAt(at + 1) !== '{') {
    const name = nameAt(text, at + 1);
    if (name === undefined) throw invalid(text);
    return { value: lookup(name) ?? '', end: at + 1 + name.length };
  }
  const close = closingBrace(text, at + 2);
  const name = nameAt(text, at + 2);
  if (close < 0 || name === undefined) throw invalid(text);
  return { value: expand(name, text.slice(at + 2 + name.length, close), { text, lookup }), end: close + 1 };
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text.charAt(at) === '}' && --depth === 0) return at;
  }
  return -1;
}

/** Applies what follows the name: a default, a message, or a replacement; a colon makes empty count as unset. */
function expand(
  name: string,
  rest: string,
  { text, lookup }: { readonly text: string; readonly lookup: Lookup },
): string {
  const [, colon = '', operator, word = ''] = /^(:?)([-?+])(.*)$/s.exec(rest) ?? [];
  const value = lookup(name);
  if (operator === undefined) {
    if (rest !== '') throw invalid(text);
    return value ?? '';
  }
  const isSet = value !== undefined && (colon === '' || value !== '');
  if (operator === '+') return isSet ? interpolate(word, lookup) : '';
  if (isSet) return value;
  if (operator === '-') return interpolate(word, lookup);
  throw new TbuildError(
    'BAKE_FILE',
    `The required variable ${JSON.stringify(name)} is missing a value: ${interpolate(word, lookup)}`,
  );
}

function invalid(text: string): TbuildError {
  return new TbuildError('BAKE_FILE', `Invalid interpolation in ${JSON.stringify(text)}`, {
    hint: 'Write $$ for a dollar sign',
  });
}
