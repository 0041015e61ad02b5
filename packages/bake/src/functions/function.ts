import { TbuildError } from '@tbuild/errors';
import type bcryptjs from 'bcryptjs';
import { toBool, toNumber, toText } from '../value/convert.ts';
import type { Num } from '../value/number.ts';
import { isList, isMap, typeName, type ListValue, type MapValue, type Value } from '../value/value.ts';

/** A function of a bake file. Its arguments are evaluated. */
export interface BakeFunction {
  /** @throws TbuildError BAKE_FILE for arguments that it does not take. */
  call(values: readonly Value[]): Value;
}

/** What a function reads of its surroundings. */
export interface FunctionEnvironment {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly home?: string;
  /** The package that hashes passwords, for files that do. */
  readonly bcrypt?: Pick<typeof bcryptjs, 'genSaltSync' | 'hashSync'>;
}

interface Kinds {
  string: string;
  number: Num;
  bool: boolean;
  list: ListValue;
  map: MapValue;
  any: Value;
}

type Kind = keyof Kinds;

type Values<K extends readonly Kind[]> = { readonly [At in keyof K]: Kinds[K[At]] };

/** Makes a function whose arguments are converted to these kinds. Null is an argument only as `any`. */
export function fn<const K extends readonly Kind[]>(kinds: K, run: (...values: Values<K>) => Value): BakeFunction {
  return {
    call(values) {
      requireCount(values, kinds.length, kinds.length);
      return run(...(kinds.map((kind, at) => take(values[at] ?? null, kind, at)) as unknown as Values<K>));
    },
  };
}

/** Makes a function that takes further arguments of one kind as a list. */
export function variadic<const K extends readonly Kind[], R extends Kind>(
  kinds: K,
  rest: R,
  run: (rest: readonly Kinds[R][], ...values: Values<K>) => Value,
): BakeFunction {
  return {
    call(values) {
      requireCount(values, kinds.length, Infinity);
      const fixed = kinds.map((kind, at) => take(values[at] ?? null, kind, at)) as unknown as Values<K>;
      const more = values.slice(kinds.length).map((value, at) => take(value, rest, kinds.length + at));
      return run(more as Kinds[R][], ...fixed);
    },
  };
}

function requireCount(values: readonly Value[], least: number, most: number): void {
  if (values.length >= least && values.length <= most) return;
  const expected = least === most ? String(least) : `at least ${least}`;
  throw new TbuildError(
    'BAKE_FILE',
    `expected ${expected} ${expected === '1' ? 'argument' : 'arguments'}, found ${values.length}`,
  );
}

function take(value: Value, kind: Kind, at: number): Value {
  if (kind === 'any') return value;
  if (value === null) throw new TbuildError('BAKE_FILE', `argument ${at + 1} must not be null`);
  switch (kind) {
    case 'string':
      return toText(value);
    case 'number':
      return toNumber(value);
    case 'bool':
      return toBool(value);
    case 'list':
      if (isList(value)) return value;
      break;
    case 'map':
      if (isMap(value)) return value;
      break;
  }
  throw new TbuildError('BAKE_FILE', `argument ${at + 1} has to be a ${kind}, not a ${typeName(value)}`);
}

/** Returns a number as an index or a count. @throws TbuildError BAKE_FILE */
export function toIndex(number: Num, what = 'The index'): number {
  const value = number.toNumber();
  if (!number.isInteger || !Number.isSafeInteger(value))
    throw new TbuildError('BAKE_FILE', `${what} has to be a whole number, not ${String(number)}`);
  return value;
}

/** The most items or characters that a function may make. */
const MOST = 16 * 1024 * 1024;

/** @throws TbuildError BAKE_FILE for a value that is too large. */
export function requireSize(size: number): void {
  if (size > MOST) throw new TbuildError('BAKE_FILE', 'The result is too large');
}
