/**
 * A nil value of Go. `text` is what Go prints for its type. JSON has `null` for it, or leaves it out if there
 * is no such text.
 */
export class GoNil {
  readonly text: string;

  constructor(text: '[]' | 'map[]' | '' | '<nil>') {
    this.text = text;
  }

  toJSON(): null | undefined {
    return this.text === '' ? undefined : null;
  }
}

/** The values that a template can use: those of JSON, and {@link GoNil}. */
export type GoValue = unknown;

export function isRecord(value: GoValue): value is Readonly<Record<string, GoValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof GoNil);
}

/** Formats a value as `fmt.Print` does. */
export function printValue(value: GoValue): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (value instanceof GoNil) return value.text;
  if (Array.isArray(value)) return `[${value.map(printValue).join(' ')}]`;
  if (!isRecord(value)) return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, one]) => `${key}:${printValue(one)}`).join(' ')}]`;
}

/** Returns whether `if` takes a value as true: everything but zeros and empty values. */
export function isTruthy(value: GoValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.keys(value).length > 0;
  return !(value instanceof GoNil) && Boolean(value);
}

/** Returns the length of a value; undefined if it has none. */
export function lengthOf(value: GoValue): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof GoNil || value === undefined || value === null) return 0;
  return isRecord(value) ? Object.keys(value).length : undefined;
}

/** Returns a number below, equal to or above zero; undefined if the values cannot be compared. */
export function compareValues(a: GoValue, b: GoValue): number | undefined {
  const [left, right] = [a, b].map((value) => (value instanceof GoNil || value === undefined ? null : value));
  if (left === null || right === null) return left === right ? 0 : -1;
  if (typeof left !== typeof right || typeof left === 'object') return undefined;
  if (left === right) return 0;
  return String(left) === String(right) || less(left, right) ? -1 : 1;
}

function less(left: GoValue, right: GoValue): boolean {
  return typeof left === 'number' && typeof right === 'number' ? left < right : String(left) < String(right);
}
