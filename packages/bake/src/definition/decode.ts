import { TbuildError } from '@tbuild/errors';
import type { Expression } from '../hcl/ast.ts';
import { placed, type Place } from '../source.ts';
import { isPrimitive, toBool, toText } from '../value/convert.ts';
import { isList, isMap, typeName, type Value } from '../value/value.ts';
import { entryOf, parseEntry, type EntryAttribute } from './entries.ts';
import { RULES, type AttributeName, type Entry } from './target.ts';

/**
 * Reads the value of a target's attribute. Undefined means that the attribute is not set.
 * @throws TbuildError BAKE_FILE, at the place of the expression.
 */
export function decodeAttribute(name: AttributeName, value: Value, expression: Expression): unknown {
  if (value === null) return undefined;
  return placed(expression.place, () => decode(name, value, expression));
}

function decode(name: AttributeName, value: Value, expression: Expression): unknown {
  switch (RULES[name].kind) {
    case 'text':
      return toText(value);
    case 'bool':
      return toBool(value);
    case 'texts':
      return decodeTexts(value, expression);
    case 'map':
      return decodeMap(value);
    case 'entries':
      return decodeEntries(name as EntryAttribute, value, expression);
  }
}

/** Reads a list of strings. @throws TbuildError BAKE_FILE */
function decodeTexts(value: Value, expression: Expression): string[] {
  return decodeNames(value, expression).map(({ name }) => name);
}

/** Reads a list of strings, each with its place. @throws TbuildError BAKE_FILE */
export function decodeNames(value: Value, expression: Expression): { readonly name: string; readonly place: Place }[] {
  return itemsOf(value, 'a list of strings').flatMap((item, at) => {
    const place = placeOfItem(expression, at);
    return item === null ? [] : [{ name: placed(place, () => toText(item)), place }];
  });
}

function itemsOf(value: Value, expected: string): readonly Value[] {
  if (isList(value)) return value.items;
  throw new TbuildError('BAKE_FILE', `${expected} is required, not a ${typeName(value)}`, {
    hint: 'Write it in brackets: ["…"]',
  });
}

function placeOfItem(expression: Expression, at: number): Expression['place'] {
  return (expression.kind === 'tuple' ? expression.items[at] : undefined)?.place ?? expression.place;
}

function decodeMap(value: Value): Record<string, string | null> {
  if (!isMap(value))
    throw new TbuildError('BAKE_FILE', `a map of strings is required, not a ${typeName(value)}`, {
      hint: 'Write { NAME = "value" }',
    });
  return Object.fromEntries([...value.entries].map(([name, item]) => [name, item === null ? null : toText(item)]));
}

function decodeEntries(name: EntryAttribute, value: Value, expression: Expression): Entry[] {
  return itemsOf(value, 'a list').flatMap((item, at) =>
    item === null || item === '' ? [] : [placed(placeOfItem(expression, at), () => decodeEntry(name, item))],
  );
}

function decodeEntry(name: EntryAttribute, item: Value): Entry {
  if (isPrimitive(item)) return parseEntry(name, toText(item));
  if (!isMap(item)) throw new TbuildError('BAKE_FILE', `a string or an object is required, not a ${typeName(item)}`);
  const pairs = [...item.entries].flatMap(([key, value]): [string, string | string[]][] => {
    if (value === null) return [];
    return [[key, isList(value) ? value.items.map(toText) : toText(value)]];
  });
  return entryOf(name, pairs);
}
