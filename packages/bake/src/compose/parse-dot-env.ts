import { errorAt, placed, type BakeFile } from '../source.ts';
import { interpolate, type Lookup } from './interpolate.ts';

/**
 * Parses a `.env` file: values in single quotes stay as they are, others are interpolated. A name alone has the value of
 * the surroundings.
 * @throws TbuildError BAKE_FILE, with the place
 */
export function parseDotEnv(file: BakeFile, lookup: Lookup): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const known: Lookup = (name) => lookup(name) ?? values.get(name);
  const { text } = file;
  const statement = new RegExp(STATEMENT, 'y');
  for (let start = nextStatement(text, 0); start < text.length; start = nextStatement(text, statement.lastIndex)) {
    statement.lastIndex = start;
    const match = statement.exec(text);
    const place = { file, span: { start, end: start + (match?.[0].length ?? 1) } };
    if (match === null) throw errorAt(place, 'Invalid line of an environment file', 'Write NAME=VALUE');
    const [, name = '', sign, single, double, plain] = match;
    const value = (): string => single ?? interpolate(double === undefined ? unquoted(plain) : unescape(double), known);
    const given = sign === undefined ? lookup(name) : placed(place, value);
    if (given !== undefined) values.set(name, given);
  }
  return values;
}

const STATEMENT =
  /(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:([=:])[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|(?!['"])([^\r\n]*))|(?=[\r\n]|$))/s;

/** Skips blanks, and comments. */
function nextStatement(text: string, at: number): number {
  const skipped = /(?:\s|#[^\n]*)*/y;
  skipped.lastIndex = at;
  skipped.exec(text);
  return skipped.lastIndex;
}

/** A comment needs a blank before it. */
function unquoted(text = ''): string {
  return text.replace(/(^|\s)#.*$/, '').trim();
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function unescape(text: string): string {
  return text.replace(
    /\\(.)/gs,
    (whole, char: string) => ESCAPES[char] ?? (char === '$' ? '$$' : `"\\'`.includes(char) ? char : whole),
  );
}
