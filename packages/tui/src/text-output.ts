/** What text is written to: any stream; a terminal's knows its size. */
export type TextOutput = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/** The size of a terminal in characters: what it says, unless it does not know and says 0. */
export function sizeOf(
  { columns, rows }: TextOutput,
  unknown: { readonly columns?: number; readonly rows?: number } = {},
): { readonly columns: number; readonly rows: number } {
  return { columns: columns || (unknown.columns ?? 80), rows: rows || (unknown.rows ?? 24) };
}
