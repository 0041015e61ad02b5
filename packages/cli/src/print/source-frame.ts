import type { SourceRange } from '@tbuild/errors';

export interface SourceFrameOptions {
  /** The words to underline, when they stand on one line. */
  readonly token?: SourceRange;
}

/**
 * The lines of a text around a place, as Docker's builder shows them: two before and after a single line, one
 * around several, those of the place marked; below, what is meant is underlined. Credentials of URLs are masked. Ends in a line feed.
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

/** A terminal shows ten lines of this; the refused line may have hundreds of kilobytes. */
const LONGEST_LINE = 800;

function cut(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE)}…`;
}

/** Users and passwords of URLs become as many asterisks, so that columns stay what they are. */
function withMaskedCredentials(text: string): string {
  return text.replace(/(?<=:\/\/)[^\s/?#]*(?=@)/g, (login) => '*'.repeat(login.length));
}

function underline(line: string, { start, end }: SourceRange): string {
  const blanks = line.slice(0, start.column - 1).replace(/[^\t]/g, ' ');
  const width = (end.line > start.line ? line.length + 1 : Math.min(end.column, line.length + 1)) - start.column;
  return `     |     ${blanks}${'^'.repeat(Math.max(1, width))}`;
}
