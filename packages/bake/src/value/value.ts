import { Num } from './number.ts';

/** A value of a bake file. Objects and maps are one kind here: what they hold decides what they convert to. */
export type Value = null | boolean | string | Num | ListValue | MapValue;

/** A list, a tuple or, with distinct items in order, a set. */
export interface ListValue {
  readonly kind: 'list' | 'set' | 'tuple';
  readonly items: readonly Value[];
}

/** A map or an object. Its keys are in order. */
export interface MapValue {
  readonly kind: 'map' | 'object';
  readonly entries: ReadonlyMap<string, Value>;
}

export const tuple = (items: readonly Value[]): ListValue => ({ kind: 'tuple', items });

export const list = (items: readonly Value[]): ListValue => ({ kind: 'list', items });

/** Returns a set: strings, numbers and other values without duplicates, in order. */
export function set(items: readonly Value[]): ListValue {
  return { kind: 'set', items: distinct(items).toSorted(compareValues) };
}

/** Returns the first of each group of equal values. */
export function distinct(items: readonly Value[]): readonly Value[] {
  return items.filter((item, at) => items.findIndex((other) => isEqual(item, other)) === at);
}

/** Returns an object with its keys in order. */
export function object(entries: Iterable<readonly [string, Value]>, kind: MapValue['kind'] = 'object'): MapValue {
  const last = new Map(entries);
  return { kind, entries: new Map([...last].toSorted(([a], [b]) => compareText(a, b))) };
}

export const isList = (value: Value): value is ListValue =>
  value !== null && typeof value === 'object' && 'items' in value;

export const isMap = (value: Value): value is MapValue =>
  value !== null && typeof value === 'object' && 'entries' in value;

/** Returns the name of a value's type, as messages say it. */
export function typeName(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return value instanceof Num ? 'number' : value.kind;
}

/** Whether two values are equal. Values of different types are not. */
export function isEqual(a: Value, b: Value): boolean {
  if (a instanceof Num && b instanceof Num) return a.compare(b) === 0;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (isList(a) && isList(b))
    return a.items.length === b.items.length && a.items.every((item, at) => isEqual(item, b.items[at] ?? null));
  if (!isMap(a) || !isMap(b) || a.entries.size !== b.entries.size) return false;
  return [...a.entries].every(([key, value]) => b.entries.has(key) && isEqual(value, b.entries.get(key) ?? null));
}

/** Orders texts by their code points, as Go does. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof Num && b instanceof Num) return a.compare(b);
  return 0;
}
