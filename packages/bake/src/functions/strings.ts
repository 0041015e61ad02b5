import { posix } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { toText } from '../value/convert.ts';
import { Num } from '../value/number.ts';
import { compareText, isList, list, object, tuple, type Value } from '../value/value.ts';
import { fn, requireSize, toIndex, variadic, type BakeFunction } from './function.ts';
import { goRegExp } from './regular-expression.ts';
import { sprintf } from './sprintf.ts';

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Returns the characters of a text as a reader counts them. */
const graphemes = (text: string): string[] => [...segmenter.segment(text)].map(({ segment }) => segment);

/** Changes the case of single characters only, as Go does: `ß` stays. */
const perCharacter = (text: string, change: (char: string) => string): string =>
  [...text].map((char) => ([...change(char)].length === 1 ? change(char) : char)).join('');

const upper = (text: string): string => perCharacter(text, (char) => char.toUpperCase());

function trim(text: string, cut: string): string {
  const chars = [...text];
  const drop = new Set(cut);
  let [start, end] = [0, chars.length];
  while (start < end && drop.has(chars[start] ?? '')) start++;
  while (end > start && drop.has(chars[end - 1] ?? '')) end--;
  return chars.slice(start, end).join('');
}

function substr(text: string, offset: Num, length: Num): string {
  const chars = graphemes(text);
  const [at, count] = [toIndex(offset, 'The offset'), toIndex(length, 'The length')];
  const start = at < 0 ? Math.max(0, chars.length + at) : at;
  return chars.slice(start, count < 0 ? undefined : start + count).join('');
}

function replaced(text: string, from: string, to: string): string {
  const parts = text.split(from);
  requireSize(text.length + parts.length * to.length);
  return parts.join(to);
}

/** Returns what a match gave: the text, its groups, or its named groups. */
function matched(match: RegExpMatchArray): Value {
  if (match.groups !== undefined)
    return object(Object.entries(match.groups).map(([name, text]) => [name, text ?? null]));
  return match.length > 1 ? tuple(match.slice(1).map((text) => text ?? null)) : match[0];
}

function regex(pattern: string, text: string): Value {
  const match = goRegExp(pattern).exec(text);
  if (match !== null) return matched(match);
  throw new TbuildError('BAKE_FILE', `the pattern ${JSON.stringify(pattern)} did not match ${JSON.stringify(text)}`);
}

/** Go's templates of replacements: `$1`, `${name}`, `$$`. A name is as long as it can be. */
function regexReplace(text: string, pattern: string, replacement: string): string {
  const result = text.replaceAll(goRegExp(pattern, 'g'), (...found: unknown[]) => {
    const last = found.at(-1);
    const groups = typeof last === 'object' && last !== null ? last : {};
    return replacement.replace(/\$(\$|\{\w+\}|\w+)/g, (_, reference: string) => {
      if (reference === '$') return '$';
      const name = reference.replace(/^\{(.*)\}$/, '$1');
      const value: unknown = /^\d+$/.test(name) ? found[Number(name)] : Reflect.get(groups, name);
      return typeof value === 'string' ? value : '';
    });
  });
  requireSize(result.length);
  return result;
}

function joined(separator: string, lists: readonly Value[]): string {
  const texts = lists.flatMap((value) => {
    if (!isList(value)) throw new TbuildError('BAKE_FILE', 'join takes lists of strings');
    return value.items.map(toText);
  });
  const text = texts.join(separator);
  requireSize(text.length);
  return text;
}

function indent(spaces: Num, text: string): string {
  const count = toIndex(spaces, 'The number of spaces');
  requireSize(count * text.length);
  return text.replaceAll('\n', () => `\n${' '.repeat(Math.max(0, count))}`);
}

/** The functions of strings. */
export const stringFunctions: Readonly<Record<string, BakeFunction>> = {
  basename: fn(['string'], (path) => (path === '' ? '.' : (path.replace(/\/+$/, '').split('/').at(-1) ?? '') || '/')),
  chomp: fn(['string'], (text) => text.replace(/[\r\n]+$/, '')),
  compact: fn(['list'], ({ items }) =>
    list(items.map((item) => (item === null ? '' : toText(item))).filter((item) => item !== '')),
  ),
  dirname: fn(['string'], dirname),
  format: variadic(['string'], 'any', (values, pattern) => sprintf(pattern, values)),
  formatlist: variadic(['string'], 'any', (values, pattern) => formatList(pattern, values)),
  indent: fn(['number', 'string'], indent),
  join: variadic(['string'], 'any', (lists, separator) => joined(separator, lists)),
  lower: fn(['string'], (text) => perCharacter(text, (char) => char.toLowerCase())),
  regex: fn(['string', 'string'], regex),
  regex_replace: fn(['string', 'string', 'string'], regexReplace),
  regexall: fn(['string', 'string'], (pattern, text) => list([...text.matchAll(goRegExp(pattern, 'g'))].map(matched))),
  replace: fn(['string', 'string', 'string'], replaced),
  reverse: fn(['string'], (text) => graphemes(text).toReversed().join('')),
  sanitize: fn(['string'], (text) => text.replace(/[^a-zA-Z0-9_-]/g, '_')),
  sort: fn(['list'], ({ items }) => list(items.map(toText).toSorted(compareText))),
  split: fn(['string', 'string'], (separator, text) => list(separator === '' ? [...text] : text.split(separator))),
  strlen: fn(['string'], (text) => Num.of(graphemes(text).length)),
  substr: fn(['string', 'number', 'number'], substr),
  title: fn(['string'], (text) => text.replace(/(?<=^|[\0-/:-@[-^`{-\x7f]|\s)\p{L}/gu, upper)),
  trim: fn(['string', 'string'], trim),
  trimprefix: fn(['string', 'string'], (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  trimspace: fn(['string'], (text) => text.trim()),
  trimsuffix: fn(['string', 'string'], (text, end) =>
    end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text,
  ),
  upper: fn(['string'], upper),
};

/** Returns the directory of a path in its shortest form. */
function dirname(path: string): string {
  return posix.normalize(path.slice(0, path.lastIndexOf('/') + 1)).replace(/(?<=.)\/$/, '');
}

function formatList(pattern: string, values: readonly Value[]): Value {
  const lengths = new Set(values.flatMap((value) => (isList(value) ? [value.items.length] : [])));
  if (lengths.size > 1) throw new TbuildError('BAKE_FILE', 'the lists differ in length');
  const [count = 1] = lengths;
  const rows = Array.from({ length: count }, (_, at) =>
    sprintf(
      pattern,
      values.map((value) => (isList(value) ? (value.items[at] ?? null) : value)),
    ),
  );
  return list(rows);
}
