import { TbuildError } from '@tbuild/errors';
import { goJson } from '@tbuild/oci';
import { Num } from './number.ts';
import { isList, object, tuple, type Value } from './value.ts';

/** Encodes a value as Go does: keys in order, and `<`, `>` and `&` escaped. */
export function encodeJson(value: Value): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return goJson(value);
  if (value instanceof Num) return String(value);
  if (isList(value)) return `[${value.items.map(encodeJson).join(',')}]`;
  return `{${[...value.entries].map(([key, item]) => `${goJson(key)}:${encodeJson(item)}`).join(',')}}`;
}

/**
 * Decodes JSON.
 * @throws TbuildError BAKE_FILE
 */
export function decodeJson(text: string): Value {
  try {
    return fromJson(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new TbuildError('BAKE_FILE', `Invalid JSON: ${error.message}`, { cause: error });
  }
}

/** Turns what `JSON.parse` gives, or a plain value of YAML, into a value. */
export function fromJson(data: unknown): Value {
  if (data === null || data === undefined) return null;
  if (typeof data === 'boolean' || typeof data === 'string') return data;
  if (typeof data === 'number' || typeof data === 'bigint') return Num.of(data);
  if (Array.isArray(data)) return tuple(data.map(fromJson));
  return object(Object.entries(data).map(([key, item]) => [key, fromJson(item)]));
}
