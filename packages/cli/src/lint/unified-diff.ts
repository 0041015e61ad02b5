/** A line of one text or of both. */
interface Row {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** How many equal lines surround a difference. */
const CONTEXT = 3;

/**
 * Returns the difference between a text and its correction, which `patch` and `git apply` take; nothing for equal
 * texts. A correction changes lines in place and removes empty ones.
 */
export function unifiedDiff(before: string, after: string, name: string): string {
  const rows = rowsOf(linesOf(before), linesOf(after));
  const hunks = hunksOf(rows).map(([from, to]) => formatHunk(rows, from, to));
  return hunks.length === 0 ? '' : `--- a/${name}\n+++ b/${name}\n${hunks.join('')}`;
}

function linesOf(text: string): readonly string[] {
  return text.split(/(?<=\n)/);
}

function rowsOf(before: readonly string[], after: readonly string[]): readonly Row[] {
  let at = 0;
  return before.flatMap((line): readonly Row[] => {
    const other = after[at];
    if (line === other) at++;
    if (line === other) return [{ sign: ' ', line }];
    if (line.trim() === '' || other === undefined) return [{ sign: '-', line }];
    at++;
    return [
      { sign: '-', line },
      { sign: '+', line: other },
    ];
  });
}

/** Returns the first and the last row of each hunk. */
function hunksOf(rows: readonly Row[]): readonly (readonly [number, number])[] {
  const hunks: [number, number][] = [];
  for (const [at, { sign }] of rows.entries()) {
    if (sign === ' ') continue;
    const last = hunks.at(-1);
    if (last !== undefined && at - last[1] <= 2 * CONTEXT + 1) last[1] = at;
    else hunks.push([at, at]);
  }
  return hunks.map(([from, to]) => [Math.max(0, from - CONTEXT), Math.min(rows.length - 1, to + CONTEXT)]);
}

function formatHunk(rows: readonly Row[], from: number, to: number): string {
  const shown = rows.slice(from, to + 1);
  const range = (sign: '-' | '+'): string => {
    const inText = (some: readonly Row[]): number => some.filter((row) => row.sign === sign || row.sign === ' ').length;
    return `${sign}${inText(rows.slice(0, from)) + 1},${inText(shown)}`;
  };
  const lines = shown.map(({ sign, line }) =>
    line.endsWith('\n') ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`,
  );
  return `@@ ${range('-')} ${range('+')} @@\n${lines.join('')}`;
}
