import { TbuildError } from '@tbuild/errors';
import { expandWords } from './expand-word.ts';
import type { Heredoc } from './instruction.ts';
import { type LineReader, type LogicalLine, rangeOf, readPhysicalLine } from './logical-lines.ts';
import { syntaxError } from './syntax-error.ts';

/** The start of a heredoc, such as `3<<-"EOF"`. */
export interface HeredocMark {
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
  readonly fileDescriptor?: number;
}

/** Returns the heredoc that a word starts, or undefined for any other word. */
export function parseHeredocMark(word: string): HeredocMark | undefined {
  const mark = word.indexOf('<<');
  if (mark < 0) return undefined;
  const descriptor = word.slice(0, mark);
  if (!/^\d*$/.test(descriptor)) return undefined;
  const stripTabs = word[mark + 2] === '-';
  const rest = word.slice(mark + (stripTabs ? 3 : 2)).trimStart();
  if (rest === '' || rest.includes('<')) return undefined;
  const names = splitWords(rest, { keepUnset: true });
  const [name] = names;
  if (name === undefined || names.length !== 1) return undefined;
  const [quoted = ''] = splitWords(rest, { keepUnset: true, keepQuotes: true });
  return {
    name,
    expand: countQuotes(name) === countQuotes(quoted),
    stripTabs,
    fileDescriptor: descriptor === '' ? undefined : Number(descriptor),
  };
}

/** Returns the heredocs that a line starts, in order. A line with an open quote starts none. */
export function findHeredocMarks(line: string): HeredocMark[] {
  if (!line.includes('<<')) return [];
  return splitWords(line, { keepQuotes: true, keepEscapes: true, keepUnset: true }).flatMap(
    (word) => parseHeredocMark(word) ?? [],
  );
}

/** Reads the bodies of these heredocs from the following lines. Throws if one does not end. */
export function readHeredocs(reader: LineReader, line: LogicalLine, marks: readonly HeredocMark[]): Heredoc[] {
  return marks.map((mark) => {
    const start = { offset: reader.offset, line: reader.line };
    for (;;) {
      const body = readPhysicalLine(reader);
      if (body === undefined) {
        const range = rangeOf(line, 0, line.text.length);
        throw syntaxError('Unterminated heredoc', range, `End it with a line that is "${mark.name}" and nothing else`);
      }
      const text = reader.text.slice(body.start, body.end);
      if ((mark.stripTabs ? text.replace(/^\t+/, '') : text) !== mark.name) continue;
      const raw = reader.text.slice(start.offset, body.start);
      const location = {
        file: reader.file,
        start: { line: start.line, column: 1 },
        end: { line: body.number, column: 1 },
      };
      return { ...mark, content: mark.stripTabs ? raw.replace(/^\t+/gm, '') : raw, raw, location };
    }
  });
}

function splitWords(
  text: string,
  options: { keepQuotes?: boolean; keepEscapes?: boolean; keepUnset: boolean },
): string[] {
  try {
    return expandWords(text, () => undefined, options);
  } catch (error) {
    if (error instanceof TbuildError) return [];
    throw error;
  }
}

function countQuotes(text: string): number {
  return text.split(/['"]/).length;
}
