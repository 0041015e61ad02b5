/** A stream of text; that of a terminal knows its size. */
export type TextOutput = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/** Returns the size of a terminal in characters; one that reports 0 does not know it. */
export function sizeOf(
  { columns, rows }: TextOutput,
  unknown: { readonly columns?: number; readonly rows?: number } = {},
): { readonly columns: number; readonly rows: number } {
  return { columns: columns || (unknown.columns ?? 80), rows: rows || (unknown.rows ?? 24) };
}
