import { TbuildError } from '@tbuild/errors';

/**
 * Parses comma-separated values with quotes as in RFC 4180.
 * @throws TbuildError BAKE_FILE for a quote without an end.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const fields = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
  while (fields.lastIndex <= text.length) {
    const match = fields.exec(text);
    if (match === null) throw new TbuildError('BAKE_FILE', `Invalid quotes in ${JSON.stringify(text)}`);
    const [whole, quoted, plain = '', end] = match;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '' && whole.length + match.index >= text.length) break;
    if (end !== ',') rows.push([]);
  }
  const last = rows.at(-1);
  return last !== undefined && rows.length > 1 && last.every((field) => field === '') ? rows.slice(0, -1) : rows;
}

/** Parses one row. @throws TbuildError BAKE_FILE */
export function parseCsvRow(text: string): string[] {
  return parseCsv(text)[0] ?? [];
}
