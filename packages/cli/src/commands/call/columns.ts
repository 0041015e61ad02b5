/** Formats lines of cells as columns, `gap` blanks apart; the last cell of a line is not padded. */
export function columns(lines: readonly (readonly string[])[], gap: number): string {
  const widths: number[] = [];
  for (const cells of lines) {
    for (const [at, cell] of cells.slice(0, -1).entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length + gap);
  }
  return lines.map((cells) => `${cells.map((cell, at) => pad(cell, at, { cells, widths })).join('')}\n`).join('');
}

function pad(
  cell: string,
  at: number,
  { cells, widths }: { readonly cells: readonly string[]; readonly widths: readonly number[] },
): string {
  return at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0);
}
