import { TbuildError, type SourceRange } from '@tbuild/errors';

export interface ReportOptions {
  /** The text of a file that an error points into, when it can be had. */
  sourceOf(file: string): string | undefined;
  /** Show the causes too. */
  readonly debug: boolean;
}

/** What the user reads when something failed: the place, the message, the hint. */
export function formatError(error: unknown, options: ReportOptions): string {
  if (!(error instanceof TbuildError)) return formatUnexpected(error, options);
  const lines = error.location === undefined ? [] : codeFrame(error.location, options.sourceOf(error.location.file));
  lines.push(`ERROR: ${error.message}`);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  if (options.debug) lines.push(...causesOf(error));
  return `${lines.join('\n')}\n`;
}

/** Process exit codes: 0 built, 1 build failed, 2 usage, 130 interrupted. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof TbuildError)) return 1;
  return { USAGE: 2, CANCELLED: 130 }[error.code as string] ?? 1;
}

const AROUND = 2;

function codeFrame({ file, start, end }: SourceRange, text: string | undefined): string[] {
  const place = `${file}:${start.line}:${start.column}`;
  if (text === undefined) return [place];
  const lines = text.split(/\r?\n/);
  const last = Math.max(start.line, end.column === 1 && end.line > start.line ? end.line - 1 : end.line);
  const shown = lines.slice(Math.max(0, start.line - 1 - AROUND), last + AROUND);
  const first = Math.max(1, start.line - AROUND);
  const frame = shown.flatMap((line, index) => {
    const number = first + index;
    const hit = number >= start.line && number <= last;
    const row = `${String(number).padStart(4)} | ${hit ? '>>> ' : '    '}${line}`;
    return hit && start.line === last ? [row, underline(line, start.column, end.column)] : [row];
  });
  const rule = '-'.repeat(20);
  return [place, rule, ...frame.map((row) => row.trimEnd()), rule];
}

function underline(line: string, from: number, to: number): string {
  const blanks = line.slice(0, from - 1).replace(/[^\t]/g, ' ');
  return `     |     ${blanks}${'^'.repeat(Math.max(1, Math.min(to, line.length + 1) - from))}`;
}

function causesOf(error: Error): string[] {
  const lines: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) lines.push(`caused by: ${cause.stack ?? cause.message}`);
  return lines;
}

const SYSTEM: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EROFS: 'The file system is read-only',
  EACCES: 'Permission was denied',
  EPERM: 'The operation is not permitted',
  EMFILE: 'Too many files are open',
};

function formatUnexpected(error: unknown, { debug }: ReportOptions): string {
  const detail = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = SYSTEM[code];
  const first = known === undefined ? `ERROR: ${detail}` : `ERROR: ${known}: ${detail}`;
  const stack = debug && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  const hint = known === undefined && !debug ? '\nhint: This is unexpected; run again with --debug to see where it comes from' : '';
  return `${first}${stack}${hint}\n`;
}
