import type { SourceRange } from '@tbuild/errors';

export interface SourceFrameOptions {
  /** The words to underline, when they are on one line. */
  readonly token?: SourceRange;
}

/**
 * Returns the lines around a place as Docker's builder shows them: two before and after a single line, one around
 * several. Marks the lines of the place, underlines its words, and masks credentials in URLs. Ends with a line feed.
 */
export function sourceFrame(text: string, { start, end }: SourceRange, { token }: SourceFrameOptions = {}): string {
  const lines = withMaskedCredentials(text).split(/\r?\n/).map(cut);
  const last = Math.max(start.line, end.column === 1 && end.line > start.line ? end.line - 1 : end.line);
  const around = last === start.line ? 2 : 1;
  const first = Math.max(1, start.line - around);
  const rows = lines.slice(first - 1, last + around).flatMap((line, index) => {
    const number = first + index;
    const mark = number >= start.line && number <= last ? '>>>' : '   ';
    const row = ` ${String(number).padStart(3)} | ${mark} ${line}`;
    return token?.start.line === number ? [row.trimEnd(), underline(line, token)] : [row.trimEnd()];
  });
  const rule = '-'.repeat(20);
  return `${[rule, ...rows, rule].join('\n')}\n`;
}

/**
 * Long lines are cut here: a terminal shows ten lines of this, while a generated line may have hundreds of kilobytes.
 */
const LONGEST_LINE = 800;

function cut(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}…`;
}

/** Replaces users and passwords in URLs by as many asterisks, so that columns stay. */
function withMaskedCredentials(text: string): string {
  return text.replace(/(?<=:\/\/)[^\s/?#]*(?=@)/g, (login) => '*'.repeat(login.length));
}

function underline(line: string, { start, end }: SourceRange): string {
  const blanks = line.slice(0, start.column - 1).replace(/[^\t]/g, ' ');
  const width = (end.line > start.line ? line.length + 1 : Math.min(end.column, line.length + 1)) - start.column;
  return `     |     ${blanks}${'^'.repeat(Math.max(1, width))}`;
}
