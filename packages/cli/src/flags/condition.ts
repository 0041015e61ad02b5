import { TbuildError } from '@tbuild/errors';

/** What a filter compares, by its name. */
export type ComparedValues<T> = Readonly<Record<string, (one: T) => readonly string[]>>;

/** What a filter may be, for messages. */
export interface FilterWords {
  readonly expected: string;
  readonly hint: string;
  /** The only values that some names can have. */
  readonly accepted?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads one `--filter` as buildx does: `NAME`, `NAME=VALUE`, `NAME!=VALUE`, `NAME~=EXPRESSION`. An `id` is an expression.
 * @throws TbuildError USAGE
 */
export function conditionOf<T>(
  text: string,
  compared: ComparedValues<T>,
  { expected, hint, accepted = {} }: FilterWords,
): (one: T) => boolean {
  const [, key = '', operator, value = ''] = /^([a-z]+)(?:(!=|~=|==?)(.*))?$/s.exec(text) ?? [];
  const valuesOf = Object.hasOwn(compared, key) ? compared[key] : undefined;
  if (valuesOf === undefined)
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: expected ${expected}`, { hint });
  const values = Object.hasOwn(accepted, key) ? accepted[key] : undefined;
  if (operator !== '~=' && values?.includes(value) === false)
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: expected ${key}=${values.join('|')}`);
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
