import { firstFailure, TbuildError, type SourceRange, visible, visibleLine } from '@tbuild/errors';
import { isFull } from '@tbuild/store';
import { sourceFrame } from './source-frame.ts';
import { describeUnexpected, fullHint, isOfDisk, saysFull } from './unexpected-error.ts';

export interface ReportOptions {
  /** Returns the text of a file that an error points into, if it is known. */
  sourceOf(file: string): string | undefined;
  /** The store's directory, where it is known. */
  readonly store?: string;
  /** Show the causes too. */
  readonly debug: boolean;
  /** The width of the terminal, if it goes to one. */
  readonly columns?: number;
}

/** Returns the report of a failure: the place, the message, the hint. */
export async function formatError(failure: unknown, options: ReportOptions): Promise<string> {
  const error = firstFailure(failure);
  if (!(error instanceof TbuildError)) return formatUnexpected(error, options);
  // The place where work was interrupted is accidental.
  const location = error.code === 'CANCELLED' ? undefined : error.location;
  const place = location === undefined ? '' : await excerpt(error, location, options);
  const lines = [`ERROR: ${visibleLine(error.message)}`];
  const hint = freeingHint(error, options) ?? error.hint;
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  if (error.cause !== undefined) lines.push(...storeLine(error, lines, options));
  if (options.debug) lines.push(...causesOf(error));
  return visible(`${place}${lines.join('\n')}\n`);
}

/** Returns the exit code: 0 built, 1 build failed, 2 usage, 130 interrupted. */
export function exitCodeOf(failure: unknown): number {
  const error = firstFailure(failure);
  if (!(error instanceof TbuildError)) return 1;
  return { USAGE: 2, CANCELLED: 130 }[error.code as string] ?? 1;
}

function freeingHint(error: TbuildError, { store }: ReportOptions): string | undefined {
  if (store === undefined || error.cause === undefined) return undefined;
  // The disk of an output may be the one that is full.
  return saysFull(error) && isFull({ root: store }) ? fullHint(store) : undefined;
}

/** Returns the line that names the store, if its disk may be what fails and no other line names it. */
function storeLine(error: unknown, lines: readonly string[], { store }: ReportOptions): readonly string[] {
  if (store === undefined || lines.some((line) => line.includes(store))) return [];
  return isOfDisk(error) ? [`store: ${JSON.stringify(store)}`] : [];
}

async function excerpt(
  { subject }: TbuildError,
  location: SourceRange,
  { sourceOf, columns }: ReportOptions,
): Promise<string> {
  const { file, start, end } = location;
  const text = sourceOf(file);
  if (text === undefined) return `${file}:${start.line}:${start.column}\n`;
  const token = start.line === end.line && subject === undefined ? location : await tokenAt(location, text, subject);
  return `${file}:${token.start.line}:${token.start.column}\n${sourceFrame(text, location, { token, columns })}`;
}

/** Underlines a word of the instruction, or its keyword. Finding it takes a second parser. */
async function tokenAt(location: SourceRange, text: string, subject: string | undefined): Promise<SourceRange> {
  const { underline, underlineWord } = await import('@tbuild/dockerfile/source-ranges');
  return subject === undefined ? underline(text, location) : underlineWord(text, location, subject);
}

function causesOf(error: Error): string[] {
  const lines: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
    lines.push(`caused by: ${cause.stack ?? cause.message}`);
  return lines;
}

async function formatUnexpected(error: unknown, options: ReportOptions): Promise<string> {
  const { message, hint } = describeUnexpected(error, options.store);
  const lines = [`ERROR: ${message}`, `hint: ${hint}`];
  lines.push(...storeLine(error, lines, options));
  if (options.debug) {
    const { describeProgram } = await import('./describe-program.ts');
    lines.push(describeProgram(), error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (error instanceof Error) lines.push(...causesOf(error));
  }
  return visible(`${lines.join('\n')}\n`);
}
