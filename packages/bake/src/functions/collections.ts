import { TbuildError } from '@tbuild/errors';
import { toText, unify } from '../value/convert.ts';
import { Num } from '../value/number.ts';
import {
  distinct,
  isEqual,
  isList,
  isMap,
  list,
  object,
  set,
  tuple,
  typeName,
  type ListValue,
  type MapValue,
  type Value,
} from '../value/value.ts';
import { fn, requireSize, toIndex, variadic, type BakeFunction } from './function.ts';

const contains = ({ items }: ListValue, wanted: Value): boolean => items.some((item) => isEqual(item, wanted));

function at(collection: Value, key: Value): Value | undefined {
  if (isMap(collection)) return collection.entries.get(toText(key));
  if (!isList(collection)) throw new TbuildError('BAKE_FILE', `a ${typeName(collection)} has no such keys`);
  return key instanceof Num && key.isInteger ? collection.items[key.toNumber()] : undefined;
}

function index(collection: Value, key: Value): Value {
  const found = at(collection, key);
  if (found === undefined) throw new TbuildError('BAKE_FILE', 'invalid index');
  return found;
}

function chunks({ items }: ListValue, size: Num): Value {
  const length = toIndex(size, 'The size');
  if (length < 0) throw new TbuildError('BAKE_FILE', 'the size argument must be positive');
  if (length === 0) return list([list(items)]);
  const count = Math.ceil(items.length / length);
  return list(Array.from({ length: count }, (_, chunk) => list(items.slice(chunk * length, (chunk + 1) * length))));
}

function flatten({ items }: ListValue): Value[] {
  return items.flatMap((item) => (isList(item) ? flatten(item) : [item]));
}

function range(numbers: readonly Num[]): Value {
  const [first, second, third] = numbers;
  if (first === undefined || numbers.length > 3) throw new TbuildError('BAKE_FILE', 'expected 1 to 3 arguments');
  const [start, end] = second === undefined ? [Num.of(0n), first] : [first, second];
  const up = start.compare(end) <= 0;
  const step = third ?? Num.of(up ? 1n : -1n);
  const direction = step.compare(Num.of(0n));
  if (direction === 0 || direction > 0 !== up) throw new TbuildError('BAKE_FILE', 'the step leads away from the end');
  const items: Num[] = [];
  for (let number = start; number.compare(end) * direction < 0; number = number.add(step)) {
    if (items.length >= 1024) throw new TbuildError('BAKE_FILE', 'more than 1024 values were generated');
    items.push(number);
  }
  return list(items);
}

function slice({ items }: ListValue, start: Num, end: Num): Value {
  const [from, to] = [toIndex(start), toIndex(end)];
  if (from < 0 || to > items.length || from > to)
    throw new TbuildError('BAKE_FILE', `the indexes have to be from 0 to ${items.length}, in order`);
  return list(items.slice(from, to));
}

function element({ items }: ListValue, number: Num): Value {
  const position = toIndex(number);
  if (items.length === 0) throw new TbuildError('BAKE_FILE', 'the list is empty');
  return items[((position % items.length) + items.length) % items.length] ?? null;
}

function indexOf({ items }: ListValue, wanted: Value): Value {
  const position = items.findIndex((item) => isEqual(item, wanted));
  if (position < 0) throw new TbuildError('BAKE_FILE', 'item not found');
  return Num.of(position);
}

function merge(maps: readonly Value[]): Value {
  const merged: [string, Value][] = [];
  for (const map of maps) {
    if (map === null) continue;
    if (!isMap(map)) throw new TbuildError('BAKE_FILE', `merge takes maps, not a ${typeName(map)}`);
    merged.push(...map.entries);
  }
  return object(merged);
}

function product(lists: readonly ListValue[]): Value {
  requireSize(lists.reduce((count, { items }) => count * items.length, 1));
  const rows = lists.reduce<Value[][]>(
    (all, { items }) => all.flatMap((row) => items.map((item) => [...row, item])),
    [[]],
  );
  return list(rows.map(tuple));
}

function zipmap({ items }: ListValue, { items: values }: ListValue): Value {
  if (items.length !== values.length) throw new TbuildError('BAKE_FILE', 'the lists differ in length');
  return object(items.map((key, position) => [toText(key), values[position] ?? null]));
}

/** `coalesce` gives its first value that is not null, in the type of all of them. */
function coalesce(values: readonly Value[]): Value {
  const found = values.find((value) => value !== null);
  if (found === undefined) throw new TbuildError('BAKE_FILE', 'no non-null arguments');
  return values.reduce<Value>((result, other) => unify(result, other), found);
}

function coalesceList(lists: readonly ListValue[]): Value {
  const found = lists.find(({ items }) => items.length > 0);
  if (found === undefined) throw new TbuildError('BAKE_FILE', 'no non-empty arguments');
  return found;
}

function symmetricDifference([first, ...rest]: readonly ListValue[]): Value {
  const items = rest.reduce<readonly Value[]>(
    (left, right) => [
      ...left.filter((item) => !contains(right, item)),
      ...right.items.filter((item) => !contains(list(left), item)),
    ],
    first?.items ?? [],
  );
  return set(items);
}

const lookup = ({ entries }: MapValue, key: string, fallback: Value): Value => entries.get(key) ?? fallback;

const length = (value: Value): Value => {
  if (isList(value)) return Num.of(value.items.length);
  if (isMap(value)) return Num.of(value.entries.size);
  throw new TbuildError('BAKE_FILE', `a ${typeName(value)} has no length; strlen counts the characters of a string`);
};

/** The functions of lists, maps and sets, and of logic. */
export const collectionFunctions: Readonly<Record<string, BakeFunction>> = {
  and: fn(['bool', 'bool'], (a, b) => a && b),
  assertnotnull: fn(['any'], (value) => {
    if (value === null) throw new TbuildError('BAKE_FILE', 'the value is null');
    return value;
  }),
  chunklist: fn(['list', 'number'], chunks),
  coalesce: variadic([], 'any', coalesce),
  coalescelist: variadic([], 'list', coalesceList),
  concat: variadic([], 'list', (lists) => list(lists.flatMap(({ items }) => items))),
  contains: fn(['list', 'any'], contains),
  distinct: fn(['list'], ({ items }) => list(distinct(items))),
  element: fn(['list', 'number'], element),
  equal: fn(['any', 'any'], isEqual),
  flatten: fn(['list'], (items) => tuple(flatten(items))),
  hasindex: fn(['any', 'any'], (collection, key) => at(collection, key) !== undefined),
  index: fn(['any', 'any'], index),
  indexof: fn(['list', 'any'], indexOf),
  keys: fn(['map'], ({ entries }) => list([...entries.keys()])),
  length: fn(['any'], length),
  lookup: fn(['map', 'string', 'any'], lookup),
  merge: variadic([], 'any', merge),
  not: fn(['bool'], (a) => !a),
  notequal: fn(['any', 'any'], (a, b) => !isEqual(a, b)),
  or: fn(['bool', 'bool'], (a, b) => a || b),
  range: variadic([], 'number', range),
  reverselist: fn(['list'], ({ items }) => list(items.toReversed())),
  sethaselement: fn(['list', 'any'], contains),
  setintersection: variadic(['list'], 'list', (others, { items }) =>
    set(items.filter((item) => others.every((other) => contains(other, item)))),
  ),
  setproduct: variadic([], 'list', product),
  setsubtract: fn(['list', 'list'], ({ items }, other) => set(items.filter((item) => !contains(other, item)))),
  setsymmetricdifference: variadic([], 'list', symmetricDifference),
  setunion: variadic([], 'list', (lists) => set(lists.flatMap(({ items }) => items))),
  slice: fn(['list', 'number', 'number'], slice),
  values: fn(['map'], ({ entries }) => list([...entries.values()])),
  zipmap: fn(['list', 'list'], zipmap),
};
