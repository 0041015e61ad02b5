import { compareValues, isRecord, isTruthy, lengthOf, printValue, type GoValue } from './go-value.ts';
import { sprintf } from './sprintf.ts';

/** Returns the value. Throws a `TypeError` whose message is the reason for invalid arguments. */
export type TemplateFunction = (...args: readonly GoValue[]) => GoValue;

/** Go's own functions and those that Docker adds. The renderer evaluates `and` and `or`, which may stop early. */
export const TEMPLATE_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value) ?? 'null',
  join: (list, separator) => elements(list, 'join').map(printValue).join(printValue(separator)),
  split: (text, separator) => printValue(text).split(printValue(separator)),
  title: (text) => printValue(text).replace(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase()),
  lower: (text) => printValue(text).toLowerCase(),
  upper: (text) => printValue(text).toUpperCase(),
  pad: (text, before, after) =>
    text === '' ? '' : ' '.repeat(integer(before)) + printValue(text) + ' '.repeat(integer(after)),
  truncate: (text, length) => printValue(text).slice(0, integer(length)),
  not: (value) => !isTruthy(value),
  len(value) {
    const length = lengthOf(value);
    if (length === undefined) throw new TypeError(`${printValue(value)} has no length`);
    return length;
  },
  index: (value, ...keys) => keys.reduce(elementAt, value),
  slice(value, from = 0, to = lengthOf(value)) {
    if (typeof value !== 'string' && !Array.isArray(value)) throw new TypeError('only texts and lists have slices');
    const [start, end] = [integer(from), integer(to)];
    if (start > end || end > value.length) throw new TypeError(`there is no slice ${start}:${end} of ${value.length}`);
    return value.slice(start, end);
  },
  print: (...values) => values.map(printValue).join(''),
  println: (...values) => `${values.map(printValue).join(' ')}\n`,
  printf: (format, ...values) => sprintf(printValue(format), values),
  urlquery: (...values) => encodeURIComponent(values.map(printValue).join('')),
  eq: (value, ...others) => {
    if (others.length === 0) throw new TypeError('it compares two values');
    return others.some((other) => compared(value, other) === 0);
  },
  ne: (a, b) => compared(a, b) !== 0,
  lt: (a, b) => compared(a, b) < 0,
  le: (a, b) => compared(a, b) <= 0,
  gt: (a, b) => compared(a, b) > 0,
  ge: (a, b) => compared(a, b) >= 0,
};

function compared(a: GoValue, b: GoValue): number {
  const order = compareValues(a, b);
  if (order === undefined) throw new TypeError(`${printValue(a)} and ${printValue(b)} cannot be compared`);
  return order;
}

function elements(list: GoValue, name: string): readonly GoValue[] {
  if (Array.isArray(list)) return list;
  if (lengthOf(list) === 0) return [];
  throw new TypeError(`${name} takes a list first`);
}

function elementAt(value: GoValue, key: GoValue): GoValue {
  if (isRecord(value)) return Object.hasOwn(value, printValue(key)) ? value[printValue(key)] : '';
  const list = typeof value === 'string' ? [...Buffer.from(value)] : value;
  if (!Array.isArray(list)) {
    if (lengthOf(value) === 0 && typeof key === 'string') return '';
    throw new TypeError(`${printValue(value)} has no elements`);
  }
  const at = integer(key);
  if (at < 0 || at >= list.length) throw new TypeError(`index ${at} is out of range: there are ${list.length}`);
  return list[at];
}

function integer(value: GoValue): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new TypeError(`${printValue(value)} is not a whole number`);
}
