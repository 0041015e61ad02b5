import { interpolate, type Lookup } from './interpolate.ts';

/**
 * Parses a `.env` file: values in single quotes stay as they are, others are interpolated.
 * @throws TbuildError BAKE_FILE for an invalid interpolation.
 */
export function parseDotEnv(text: string, lookup: Lookup): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const known: Lookup = (name) => lookup(name) ?? values.get(name);
  for (const [, name = '', single, double, plain] of text.matchAll(LINE)) {
    values.set(name, single ?? interpolate(double === undefined ? unquoted(plain) : unescape(double), known));
  }
  return values;
}

const LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\r\n]*))/gm;

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
