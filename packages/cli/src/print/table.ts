import { visibleLine } from '@tbuild/errors';
import { formatDuration } from '@tbuild/tui';

/** The smallest width of a column in Docker's tables, with the gap behind it. */
const NARROWEST = 10;

/** Formats rows under headings as Docker does: columns are padded to their widest cell and three blanks apart. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows].map((row) => row.map(visibleLine));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(Math.max(NARROWEST, (widths[column] ?? 0) + 3)))
      .join('')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Returns an age in Docker's words. `created` is RFC 3339; without it, `N/A`. */
export function formatAge(created: string | undefined, now: number): string {
  const time = created === undefined ? NaN : Date.parse(created);
  return Number.isNaN(time) ? 'N/A' : `${formatDuration(Math.max(0, now - time))} ago`;
}
