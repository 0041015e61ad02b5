import type { SourceRange } from '@tbuild/errors';
import type { Directives, Word } from './instruction.ts';
import { type LineReader, createLineReader, readPhysicalLine } from './logical-lines.ts';
import { syntaxError } from './syntax-error.ts';
import { skipSpaces, skipSpacesBack } from './whitespace.ts';

interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: Word;
  readonly line: SourceRange;
}

const NAME = /[a-zA-Z][a-zA-Z0-9]*/y;

/**
 * Reads the directives at the top of `text` and returns a reader after them. They end at the first line that is not a
 * known directive. Throws for a repeated directive and for an invalid escape character.
 */
export function readDirectives(text: string, file: string): { directives: Directives; reader: LineReader } {
  const start = { offset: text.startsWith('\ufeff') ? 1 : 0, line: 1 };
  const seen = new Map<Directive['name'], Directive>();
  let reader = createLineReader(text, file, start);
  for (;;) {
    const mark = { offset: reader.offset, line: reader.line };
    const directive = readDirective(reader, { comment: '#', indented: true });
    if (directive === undefined) {
      reader = createLineReader(text, file, mark);
      break;
    }
    if (seen.has(directive.name)) {
      throw syntaxError(`Only one ${directive.name} parser directive can be used`, directive.line);
    }
    seen.set(directive.name, directive);
  }
  const directives = {
    syntax: detectSyntax(text, file),
    escape: checkEscape(seen.get('escape')),
    check: firstWord(findDirective(text, file, { name: 'check', comment: '#' })?.value),
  };
  return { directives, reader };
}

/**
 * Returns the frontend image that a file requests: `# syntax=`, also after a `#!` line, `// syntax=`, or the `syntax`
 * member of a JSON document. The value ends at its first blank.
 */
export function detectSyntax(text: string, file = 'Dockerfile'): Word | undefined {
  const findSyntax = (comment: '#' | '//') => findDirective(text, file, { name: 'syntax', comment });
  const found = findSyntax('#') ?? findSyntax('//');
  return firstWord(found?.value) ?? jsonSyntax(text, file);
}

/** The values of `syntax` and `check` end at their first blank. */
function firstWord(value: Word | undefined): Word | undefined {
  if (value === undefined) return undefined;
  const [text = ''] = value.text.split(' ', 1);
  const { file, start } = value.location;
  return { text, location: { file, start, end: { line: start.line, column: start.column + text.length } } };
}

function checkEscape(directive: Directive | undefined): '\\' | '`' {
  if (directive === undefined) return '\\';
  const { text } = directive.value;
  if (text === '\\' || text === '`') return text;
  throw syntaxError(`Invalid escape token "${text}" does not match \` or \\`, directive.value.location);
}

/**
 * Reads the directives as Docker's detection of frontend and checks does. It differs from Docker's parser: it skips a
 * `#!` line, ends at an indented line and accepts duplicates.
 */
function findDirective(
  text: string,
  file: string,
  { name, comment }: { readonly name: Directive['name']; readonly comment: '#' | '//' },
): Directive | undefined {
  const reader = createLineReader(text, file, { offset: text.startsWith('\ufeff') ? 1 : 0, line: 1 });
  if (text.startsWith('#!', reader.offset)) readPhysicalLine(reader);
  const seen = new Set<string>();
  for (;;) {
    const directive = readDirective(reader, { comment, indented: false });
    if (directive === undefined || seen.has(directive.name)) return undefined;
    if (directive.name === name) return directive;
    seen.add(directive.name);
  }
}

/** Reads `# name = value` from the next line; undefined if the line is anything else. */
function readDirective(
  reader: LineReader,
  { comment, indented }: { comment: '#' | '//'; indented: boolean },
): Directive | undefined {
  const { text, file } = reader;
  const line = readPhysicalLine(reader);
  if (line === undefined) return undefined;
  const lineStart = indented ? skipSpaces(text, line.start, line.end) : line.start;
  if (!text.startsWith(comment, lineStart)) return undefined;
  NAME.lastIndex = skipSpaces(text, lineStart + comment.length, line.end);
  const word = NAME.exec(text)?.[0];
  const name = word?.toLowerCase();
  if (word === undefined || (name !== 'syntax' && name !== 'escape' && name !== 'check')) return undefined;
  const equals = skipSpaces(text, NAME.lastIndex, line.end);
  if (text[equals] !== '=') return undefined;
  const start = skipSpaces(text, equals + 1, line.end);
  const end = skipSpacesBack(text, start, line.end);
  if (start === end) return undefined;
  const range = (from: number, to: number): SourceRange => ({
    file,
    start: { line: line.number, column: from - line.start + 1 },
    end: { line: line.number, column: to - line.start + 1 },
  });
  return { name, value: { text: text.slice(start, end), location: range(start, end) }, line: range(lineStart, end) };
}

function jsonSyntax(text: string, file: string): Word | undefined {
  const start = skipSpaces(text, text.startsWith('\ufeff') ? 1 : 0);
  if (text[start] !== '{') return undefined;
  try {
    const document: unknown = JSON.parse(text.slice(start));
    if (typeof document !== 'object' || document === null || !('syntax' in document)) return undefined;
    if (typeof document.syntax !== 'string') return undefined;
    const at = { line: 1, column: 1 };
    return { text: document.syntax, location: { file, start: at, end: at } };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
