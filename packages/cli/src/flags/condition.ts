import { TbuildError } from '@tbuild/errors';

/** What a filter compares, by its name. */
export type ComparedValues<T> = Readonly<Record<string, (one: T) => readonly string[]>>;

/**
 * Reads one `--filter` as buildx does: `NAME`, `NAME=VALUE`, `NAME!=VALUE`, `NAME~=EXPRESSION`. An `id` is an expression.
 * @throws TbuildError USAGE
 */
export function conditionOf<T>(
  text: string,
  values: ComparedValues<T>,
  { expected, hint }: { readonly expected: string; readonly hint: string },
): (one: T) => boolean {
  const [, key = '', operator, value = ''] = /^([a-z]+)(?:(!=|~=|==?)(.*))?$/s.exec(text) ?? [];
  const valuesOf = Object.hasOwn(values, key) ? values[key] : undefined;
  if (valuesOf === undefined)
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: expected ${expected}`, { hint });
  if (operator === undefined) return (one) => valuesOf(one).includes('true');
  if (operator === '~=' || (key === 'id' && operator !== '!=')) {
    const expression = expressionOf(value, text);
    return (one) => valuesOf(one).some((text) => expression.test(text));
  }
  return (one) => valuesOf(one).includes(value) === (operator !== '!=');
}

function expressionOf(value: string, text: string): RegExp {
  try {
    return new RegExp(value);
  } catch (cause) {
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: no regular expression`, { cause });
  }
}
