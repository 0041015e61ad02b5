import { errorAt, type BakeFile } from '../source.ts';

/**
 * A text prepared for the grammar, which takes no account of lines. Every character stays in its place.
 */
export interface Layout {
  /** The text without comments. Lines that separate the fields of an object end with a comma. */
  readonly text: string;
  /** The offsets of line ends that end an attribute or a block. */
  readonly lineEnds: readonly number[];
}

type Context =
  | { readonly kind: 'body'; hasEquals: boolean }
  | { readonly kind: 'object'; lineEnd?: number }
  /** Brackets in which line ends mean nothing. */
  | { readonly kind: 'brackets' }
  | { readonly kind: 'quote'; readonly start: number }
  | { readonly kind: 'heredoc'; readonly word: string; readonly start: number };

interface Scan {
  readonly file: BakeFile;
  readonly out: string[];
  readonly lineEnds: number[];
  readonly stack: Context[];
  at: number;
  /** The last token: a character for punctuation, `a` for a word, `0` for a number, `"` for a text, `h` for a heredoc. */
  last: string;
}

const DEEPEST = 100;

/**
 * Finds the line ends that matter, and rewrites what the grammar does not know: exponents without a fraction.
 * @throws TbuildError BAKE_FILE for a text without an end, and for brackets nested too deeply.
 */
export function layOut(file: BakeFile): Layout {
  const scan: Scan = { file, out: [...splitUnits(file.text)], lineEnds: [], stack: [], at: 0, last: '' };
  scan.stack.push({ kind: 'body', hasEquals: false });
  while (scan.at < file.text.length) {
    const context = scan.stack.at(-1);
    if (context === undefined) throw new Error('The text itself is the outermost context');
    if (scan.stack.length > DEEPEST) throw errorAt(here(scan), 'Brackets are nested too deeply');
    if (context.kind === 'quote') scanQuote(scan);
    else if (context.kind === 'heredoc') scanHeredoc(scan, context);
    else scanToken(scan, context);
  }
  const open = scan.stack.at(-1);
  if (open?.kind === 'quote' || open?.kind === 'heredoc') throw unterminated(scan, open);
  scan.lineEnds.push(file.text.length);
  return { text: scan.out.join(''), lineEnds: scan.lineEnds };
}

function splitUnits(text: string): string[] {
  return Array.from({ length: text.length }, (_, at) => text.charAt(at));
}

function here({ file, at }: Scan): Parameters<typeof errorAt>[0] {
  return { file, span: { start: at, end: at + 1 } };
}

function unterminated(scan: Scan, { kind, start }: { readonly kind: string; readonly start: number }): Error {
  const what = kind === 'quote' ? 'A string has no closing quote on its line' : 'A heredoc has no line that ends it';
  return errorAt({ file: scan.file, span: { start, end: start + 1 } }, what);
}

const COMMENT = /#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const DIGITS = /\d+/y;
const HEREDOC = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;

function match(pattern: RegExp, { file, at }: Scan): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(file.text);
}

type CodeContext = Extract<Context, { kind: 'body' | 'object' | 'brackets' }>;

function scanToken(scan: Scan, context: CodeContext): void {
  const char = scan.file.text.charAt(scan.at);
  if (char === '\n') return endLine(scan, context);
  if (/\s|\uFEFF/.test(char)) return void scan.at++;
  const comment = match(COMMENT, scan);
  if (comment !== null) return blank(scan, comment[0]);
  separate(scan, context, char);
  requireComma(scan, context, char);
  const heredoc = match(HEREDOC, scan);
  if (heredoc !== null) {
    scan.stack.push({ kind: 'heredoc', word: heredoc[1] ?? '', start: scan.at });
    return advance(scan, heredoc[0].length, '"');
  }
  const word = match(WORD, scan);
  if (word !== null) return advance(scan, word[0].length, 'a');
  const number = match(scan.last === '.' ? DIGITS : NUMBER, scan);
  if (number !== null) return scanNumber(scan, number[0]);
  if (char === '"') {
    scan.stack.push({ kind: 'quote', start: scan.at });
    return advance(scan, 1, '"');
  }
  scanPunctuation(scan, context, char);
}

function advance(scan: Scan, length: number, last: string): void {
  scan.at += length;
  scan.last = last;
}

function blank(scan: Scan, comment: string): void {
  for (const char of comment) {
    if (char !== '\n') scan.out.fill(' ', scan.at, scan.at + char.length);
    scan.at += char.length;
  }
}

/** The grammar reads an exponent only after a fraction. The value is read from the original text. */
function scanNumber(scan: Scan, number: string): void {
  if (/e/i.test(number)) scan.out.fill('0', scan.at, scan.at + number.length);
  advance(scan, number.length, '0');
}

function endLine(scan: Scan, context: CodeContext): void {
  if (context.kind === 'body') {
    scan.lineEnds.push(scan.at);
    context.hasEquals = false;
  }
  if (context.kind === 'object' && scan.last !== '{' && scan.last !== ',') context.lineEnd ??= scan.at;
  scan.at++;
}

/**
 * Ends the field of an object with a comma if another one follows on a new line. After a heredoc the grammar needs the
 * line end, and none of what follows can be part of the field.
 */
function separate(scan: Scan, context: CodeContext, next: string): void {
  if (context.kind !== 'object' || context.lineEnd === undefined) return;
  if (next !== '}' && next !== ',' && scan.last !== 'h') scan.out[context.lineEnd] = ',';
  context.lineEnd = undefined;
}

/** The grammar would point to the first of two texts or numbers that no comma separates. */
function requireComma(scan: Scan, { kind }: CodeContext, next: string): void {
  if (kind !== 'brackets' || !/["0h]/.test(scan.last) || !/["\d]/.test(next)) return;
  throw errorAt(here(scan), 'Invalid syntax: expected a comma before this value');
}

function scanPunctuation(scan: Scan, context: CodeContext, char: string): void {
  if (char === '{') scan.stack.push(braces(scan, context));
  else if (char === '(' || char === '[') scan.stack.push({ kind: 'brackets' });
  else if (char === ')' || char === ']' || char === '}') closeBracket(scan);
  else if (char === '=' && context.kind === 'body') context.hasEquals = true;
  advance(scan, 1, char);
}

function closeBracket(scan: Scan): void {
  if (scan.stack.length === 1) throw errorAt(here(scan), 'A closing bracket has no opening one');
  scan.stack.pop();
}

const FOR = /\{\s*for\s/y;

function braces(scan: Scan, context: CodeContext): Context {
  if (context.kind === 'body' && !context.hasEquals) return { kind: 'body', hasEquals: false };
  return match(FOR, scan) === null ? { kind: 'object' } : { kind: 'brackets' };
}

function scanQuote(scan: Scan): void {
  const { text } = scan.file;
  const char = text.charAt(scan.at);
  if (char === '\\') scanEscape(scan);
  else if (char === '"') {
    scan.stack.pop();
    advance(scan, 1, '"');
  } else if (char === '\n') {
    const open = scan.stack.at(-1);
    throw unterminated(scan, { kind: 'quote', start: open?.kind === 'quote' ? open.start : scan.at });
  } else scanTemplate(scan);
}

function scanEscape(scan: Scan): void {
  const escape = match(/\\(?:[nrt"\\]|u[\da-fA-F]{4}|U[\da-fA-F]{8})/y, scan)?.[0];
  if (escape === undefined)
    throw errorAt(here(scan), 'Invalid escape sequence', 'Write \\n, \\r, \\t, \\", \\\\, \\uNNNN or \\UNNNNNNNN');
  scan.at += escape.length;
}

/** Steps over one character of a template, an escaped opening, or into an interpolation. */
function scanTemplate(scan: Scan): void {
  const next = scan.file.text.slice(scan.at, scan.at + 3);
  if (next === '$${' || next === '%%{') scan.at += 3;
  else if (next.startsWith('${') || next.startsWith('%{')) {
    scan.stack.push({ kind: 'brackets' });
    advance(scan, 2, '{');
  } else scan.at++;
}

function scanHeredoc(scan: Scan, { word }: Extract<Context, { kind: 'heredoc' }>): void {
  const { text } = scan.file;
  if (text.charAt(scan.at - 1) !== '\n') return scanTemplate(scan);
  const end = text.indexOf('\n', scan.at);
  const line = text.slice(scan.at, end < 0 ? text.length : end);
  if (line.trim() !== word) return scanTemplate(scan);
  scan.stack.pop();
  advance(scan, line.trimEnd().length, 'h');
}
