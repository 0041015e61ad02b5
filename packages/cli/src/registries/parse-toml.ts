import { TbuildError } from '@tbuild/errors';

/** What a file in TOML says. Numbers and dates are left as their text. */
export type TomlValue = string | boolean | readonly TomlValue[] | TomlTable;
export interface TomlTable {
  readonly [key: string]: TomlValue | undefined;
}

interface Table {
  [key: string]: string | boolean | TomlValue[] | Table | readonly TomlValue[] | TomlTable | undefined;
}

interface Cursor {
  readonly text: string;
  readonly name: string;
  at: number;
}

/**
 * Reads TOML as configuration files of container tools are written; `name` is what messages call the text.
 * @throws TbuildError USAGE with the line.
 */
export function parseToml(text: string, name: string): TomlTable {
  const root = emptyTable();
  const cursor: Cursor = { text, name, at: 0 };
  let current = root;
  for (;;) {
    take(cursor, /(?:\s|#[^\n]*)*/y);
    if (cursor.at >= text.length) return root;
    const header = take(cursor, /\[\[?/y);
    if (header === undefined) parsePair(cursor, current);
    else current = openTable(cursor, root, header === '[[');
    if (take(cursor, /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y) === undefined) throw invalid(cursor);
  }
}

function openTable(cursor: Cursor, root: Table, isArray: boolean): Table {
  const keys = parseKeys(cursor);
  if (take(cursor, isArray ? /[ \t]*\]\]/y : /[ \t]*\]/y) === undefined) throw invalid(cursor);
  const parent = keys.slice(0, -1).reduce((table, key) => below(table, key, cursor), root);
  const last = keys.at(-1) ?? '';
  if (!isArray) return below(parent, last, cursor);
  const added = emptyTable();
  const known = parent[last] ?? [];
  if (!Array.isArray(known)) throw invalid(cursor);
  parent[last] = [...known, added];
  return added;
}

/** The table of that name, or the newest of an array of tables. */
function below(table: Table, key: string, cursor: Cursor): Table {
  const known = (table[key] ??= emptyTable());
  const found: unknown = Array.isArray(known) ? known.at(-1) : known;
  if (isTable(found)) return found;
  throw invalid(cursor);
}

function parsePair(cursor: Cursor, table: Table): void {
  const keys = parseKeys(cursor);
  if (take(cursor, /[ \t]*=[ \t]*/y) === undefined) throw invalid(cursor);
  const parent = keys.slice(0, -1).reduce((one, key) => below(one, key, cursor), table);
  parent[keys.at(-1) ?? ''] = parseValue(cursor);
}

function parseKeys(cursor: Cursor): string[] {
  const keys: string[] = [];
  do {
    take(cursor, /[ \t]*/y);
    const key = parseString(cursor) ?? take(cursor, /[A-Za-z0-9_-]+/y);
    if (key === undefined) throw invalid(cursor);
    keys.push(key);
  } while (take(cursor, /[ \t]*\./y) !== undefined);
  return keys;
}

function parseValue(cursor: Cursor): TomlValue {
  const text = parseString(cursor);
  if (text !== undefined) return text;
  if (take(cursor, /\[/y) !== undefined) return parseList(cursor, ']', parseValue);
  if (take(cursor, /\{/y) !== undefined) {
    const table = emptyTable();
    parseList(cursor, '}', () => parsePair(cursor, table));
    return table;
  }
  const word = take(cursor, /[A-Za-z0-9+:._-]+/y);
  if (word === undefined) throw invalid(cursor);
  return word === 'true' ? true : word === 'false' ? false : word;
}

function parseList<T>(cursor: Cursor, end: string, parse: (cursor: Cursor) => T): T[] {
  const blank = /(?:\s|#[^\n]*)*/y;
  const values: T[] = [];
  for (;;) {
    take(cursor, blank);
    if (cursor.text[cursor.at] === end) break;
    values.push(parse(cursor));
    take(cursor, blank);
    if (take(cursor, /,/y) === undefined && cursor.text[cursor.at] !== end) throw invalid(cursor);
  }
  cursor.at += 1;
  return values;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

function parseString(cursor: Cursor): string | undefined {
  const literal = take(cursor, /'''[^]*?'''|'[^'\n]*'/y);
  if (literal !== undefined) return unquoted(literal, "'''");
  const basic = take(cursor, /"""(?:[^\\]|\\[^])*?"""|"(?:[^"\\\n]|\\.)*"/y);
  return basic === undefined ? undefined : unescaped(unquoted(basic, '"""'));
}

function unquoted(text: string, triple: string): string {
  return text.startsWith(triple) ? text.slice(3, -3).replace(/^\r?\n/, '') : text.slice(1, -1);
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(\r?\n\s*)|(.))/g, (_, short, long, fold, one) =>
    fold !== undefined
      ? ''
      : one !== undefined
        ? (ESCAPES[one] ?? one)
        : String.fromCodePoint(parseInt(short ?? long, 16)),
  );
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  cursor.at += found?.length ?? 0;
  return found;
}

function invalid({ text, name, at }: Cursor): TbuildError {
  const line = text.slice(0, at).split('\n').length;
  return new TbuildError('USAGE', `Line ${line} of ${name} is not valid TOML`);
}

/** Names in a file must not reach what objects have by birth. */
function emptyTable(): Table {
  return Object.create(null);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
