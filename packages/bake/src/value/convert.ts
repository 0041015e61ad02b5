import { TbuildError } from '@tbuild/errors';
import { Num } from './number.ts';
import { formatType, type Type } from './type.ts';
import { isList, isMap, list, object, set, tuple, typeName, type Value } from './value.ts';

/**
 * Converts a value to a type as HCL does. Null converts to every type.
 * @throws TbuildError BAKE_FILE
 */
export function convert(value: Value, type: Type): Value {
  if (value === null || type.kind === 'any') return value;
  switch (type.kind) {
    case 'string':
      return toText(value);
    case 'number':
      return toNumber(value);
    case 'bool':
      return toBool(value);
    case 'list':
    case 'set':
      return convertItems(value, type);
    case 'tuple':
      return convertTuple(value, type.items);
    case 'map':
      if (!isMap(value)) throw mismatch(value, type);
      return object(
        [...value.entries].map(([key, item]) => [key, convert(item, type.of)]),
        'map',
      );
    case 'object':
      return convertObject(value, type);
  }
}

/** Converts a string, number or bool to a string. @throws TbuildError BAKE_FILE */
export function toText(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || value instanceof Num) return String(value);
  throw new TbuildError('BAKE_FILE', `a string is required, not ${withArticle(value)}`);
}

/** Converts a number or its text to a number. @throws TbuildError BAKE_FILE */
export function toNumber(value: Value): Num {
  if (value instanceof Num) return value;
  const parsed = typeof value === 'string' ? Num.parse(value) : undefined;
  if (parsed === undefined) throw new TbuildError('BAKE_FILE', 'a number is required');
  return parsed;
}

/** Converts a bool or its text to a bool. @throws TbuildError BAKE_FILE */
export function toBool(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new TbuildError('BAKE_FILE', 'a bool is required');
}

/** Whether a value is a string, number or bool. */
export const isPrimitive = (value: Value): value is string | boolean | Num =>
  typeof value === 'string' || typeof value === 'boolean' || value instanceof Num;

/** Gives two values one type, as the results of a conditional have. */
export function unify(value: Value, other: Value): Value {
  return isPrimitive(value) && isPrimitive(other) && typeName(value) !== typeName(other) ? toText(value) : value;
}

function convertItems(value: Value, type: Extract<Type, { of: Type }>): Value {
  if (!isList(value)) throw mismatch(value, type);
  const items = value.items.map((item) => convert(item, type.of));
  return type.kind === 'set' ? set(items) : list(items);
}

function convertTuple(value: Value, types: readonly Type[]): Value {
  if (!isList(value) || value.items.length !== types.length) throw mismatch(value, { kind: 'tuple', items: types });
  return tuple(value.items.map((item, at) => convert(item, types[at] ?? { kind: 'any' })));
}

function convertObject(value: Value, type: Extract<Type, { kind: 'object' }>): Value {
  if (!isMap(value)) throw mismatch(value, type);
  return object(
    [...type.fields].map(([name, field]) => {
      if (!field.isOptional && !value.entries.has(name))
        throw new TbuildError('BAKE_FILE', `attribute ${JSON.stringify(name)} is required`);
      return [name, convert(value.entries.get(name) ?? null, field.type)];
    }),
  );
}

function mismatch(value: Value, type: Type): TbuildError {
  return new TbuildError('BAKE_FILE', `${formatType(type)} is required, not ${withArticle(value)}`);
}

function withArticle(value: Value): string {
  const name = typeName(value);
  return name === 'null' ? name : `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}
