import { parseTemplate, printValue, renderTemplate } from '@tbuild/go-template';
import type { Flags } from '../flags/args.ts';
import { formatTable } from './table.ts';

/** The option of commands that can print for programs. */
export const formatFlags = {
  format: {
    kind: 'text',
    value: 'FORMAT',
    help: 'Print "table", "json", or by a Go template such as \'{{.ID}}\' or \'table {{.ID}}\\t{{.Size}}\'',
  },
} as const satisfies Flags;

/** A row of a table, by the names that templates use. */
export type Row = Readonly<Record<string, unknown>>;

export interface TableOptions {
  /** Of every field that a row has. */
  readonly headings: Readonly<Record<string, string>>;
  /** The fields of the usual table, in order. */
  readonly columns: readonly string[];
}

/**
 * Rows as `--format` asks for them, as Docker's lists are printed: a table of the usual columns or of a template's, a
 * document a line, or a template's text for each.
 * @throws TbuildError USAGE for a template that is not valid or names a field that rows do not have.
 */
export function formatRows(format: string | undefined, rows: readonly Row[], options: TableOptions): string {
  if (format === undefined || format === '' || format === 'table') return usualTable(rows, options);
  if (format === 'json') return jsonLines(rows);
  const [, table] = /^table\s+(.*)$/s.exec(format) ?? [];
  // A shell's single quotes leave these as they are.
  const template = parseTemplate((table ?? format).replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  const lines = [options.headings, ...rows].map((row, at) =>
    renderTemplate(template, row, at === 0 ? { functions: ON_HEADINGS } : {}),
  );
  if (table === undefined)
    return lines
      .slice(1)
      .map((line) => `${line}\n`)
      .join('');
  const [headings = [], ...cells] = lines.map((line) => line.split('\t'));
  return formatTable(headings, cells);
}

/**
 * A document as `--format` asks for it, as Docker's inspect commands print it: indented JSON unless given, JSON in one
 * line, or a template's text.
 * @throws TbuildError USAGE
 */
export function formatDocument(format: string, document: Row): string {
  if (format === 'json') return jsonLines([document]);
  return `${renderTemplate(parseTemplate(format), document)}\n`;
}

/** One document a line, as Docker prints them. */
export function jsonLines(documents: readonly object[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('');
}

function usualTable(rows: readonly Row[], { headings, columns }: TableOptions): string {
  return formatTable(
    columns.map((name) => headings[name] ?? name),
    rows.map((row) => columns.map((name) => printValue(row[name]))),
  );
}

/** What a function makes of a heading: nothing else. */
const ON_HEADINGS = Object.fromEntries(
  ['json', 'lower', 'upper', 'title', 'truncate', 'pad', 'join', 'split', 'slice'].map((name) => [
    name,
    (value: unknown) => value,
  ]),
);
