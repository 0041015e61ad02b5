import { type Part, quote } from './path-expression.ts';

/**
 * Parses a regular expression of Go, of the forms that ignore patterns translate to: characters, escapes and classes, each alone or
 * with `*`, `^`, `|`, `.*`, and `(.*` + `/)?`. Returns its alternatives.
 *
 * @throws SyntaxError for what Go refuses, and for `\Q`.
 */
export function parseGoExpression(source: string): readonly (readonly Part[])[] {
  const alternatives: Part[][] = [[]];
  for (let at = 0; at < source.length;) {
    if (source[at] === '|') {
      alternatives.push([]);
      at += 1;
    } else {
      const { part, length } = firstPart(source.slice(at));
      alternatives.at(-1)?.push(part);
      at += length;
    }
  }
  return alternatives;
}

/** A part at the start of a text. */
interface Parsed<T> {
  readonly part: T;
  readonly length: number;
}

const DIRECTORIES = '(.*/)?';
const ANY = String.raw`[^\n]`;

function firstPart(text: string): Parsed<Part> {
  if (text.startsWith(DIRECTORIES)) return { part: { kind: 'directories', atom: ANY }, length: DIRECTORIES.length };
  const assertion = /^(?:\^|\\[AzbB])/.exec(text)?.[0];
  if (assertion !== undefined)
    return { part: { kind: 'assertion', atom: ASSERTIONS[assertion] ?? assertion }, length: assertion.length };
  const { part: atom, length } = text.startsWith('[') ? parseClass(text) : parseAtom(text);
  return text[length] === '*'
    ? { part: { kind: 'repeated', atom }, length: length + 1 }
    : { part: { kind: 'once', atom }, length };
}

const ASSERTIONS: Readonly<Record<string, string>> = { [String.raw`\A`]: '^', [String.raw`\z`]: '$' };

function parseAtom(text: string): Parsed<string> {
  if (text.startsWith('.')) return { part: ANY, length: 1 };
  const known = parseNamedClass(text);
  if (known !== undefined) return known;
  const { part, length } = parseCharacter(text);
  return { part: quote(String.fromCodePoint(part)), length };
}

/** Parses a class. Members become code points and nested classes. */
function parseClass(text: string): Parsed<string> {
  const start = text.startsWith('[^') ? '[^' : '[';
  let atom: string = start;
  let at = start.length;
  // Go takes a first bracket as a member.
  while (text[at] !== ']' || at === start.length) {
    const { part, length } = parseMember(text.slice(at));
    atom += part;
    at += length;
  }
  return { part: `${atom}]`, length: at + 1 };
}

function parseMember(text: string): Parsed<string> {
  const named = parsePosixClass(text) ?? parseNamedClass(text);
  if (named !== undefined) return named;
  const low = parseCharacter(text);
  if (!/^-[^\]]/su.test(text.slice(low.length))) return { part: codePoint(low.part), length: low.length };
  const high = parseCharacter(text.slice(low.length + 1));
  if (high.part < low.part) throw new SyntaxError(`reversed range in ${text}`);
  return { part: `${codePoint(low.part)}-${codePoint(high.part)}`, length: low.length + 1 + high.length };
}

function codePoint(value: number): string {
  return `\\u{${value.toString(16)}}`;
}

/** Parses one character, as a code point. */
function parseCharacter(text: string): Parsed<number> {
  const [whole, hex, octal, letter, punctuation, plain] = CHARACTER.exec(text) ?? [];
  if (whole === undefined) throw new SyntaxError(`invalid character at ${text}`);
  const { length } = whole;
  if (hex !== undefined) return { part: Number.parseInt(hex, 16), length };
  if (octal !== undefined) return { part: Number.parseInt(octal, 8), length };
  const part = letter === undefined ? (punctuation ?? plain)?.codePointAt(0) : 7 + 'abtnvfr'.indexOf(letter);
  return { part: part ?? 0, length };
}

const CHARACTER =
  /^(?:\\(?:x([0-9a-fA-F]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2})|([afnrtv])|([^0-9A-Za-z\u{80}-\u{10ffff}]))|([^\\]))/su;

/** Parses `\d` and its like, or a Unicode category such as `\pL`. */
function parseNamedClass(text: string): Parsed<string> | undefined {
  const [whole = '', category] = /^\\(?:[dDsSwW]|[pP]([CLMNPSZ]))/.exec(text) ?? [];
  if (whole === '') return undefined;
  const part = category === undefined ? (SPACES[whole] ?? whole) : `${whole.slice(0, 2)}{${category}}`;
  return { part, length: whole.length };
}

/** JavaScript counts more characters as spaces than Go. */
const SPACES: Readonly<Record<string, string>> = {
  [String.raw`\s`]: String.raw`[\t\n\f\r\x20]`,
  [String.raw`\S`]: String.raw`[^\t\n\f\r\x20]`,
};

/** A name is looked for in so few characters that the time for many brackets is linear. */
function parsePosixClass(text: string): Parsed<string> | undefined {
  const [whole, negation, name = ''] = /^\[:(\^?)(.{0,100}?):\]/su.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const members = POSIX.get(name);
  if (members === undefined) throw new SyntaxError(`unknown class ${whole}`);
  return { part: `[${negation}${members}]`, length: whole.length };
}

const POSIX: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alnum: '0-9A-Za-z',
    alpha: 'A-Za-z',
    ascii: String.raw`\0-\x7f`,
    blank: String.raw`\t\x20`,
    cntrl: String.raw`\0-\x1f\x7f`,
    digit: '0-9',
    graph: String.raw`\x21-\x7e`,
    lower: 'a-z',
    print: String.raw`\x20-\x7e`,
    punct: String.raw`\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e`,
    space: String.raw`\t-\r\x20`,
    upper: 'A-Z',
    word: '0-9A-Za-z_',
    xdigit: '0-9A-Fa-f',
  }),
);
