/** Returns the text of a server without characters that change the terminal or begin a line, and cut if it is long. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}

const LONGEST_TEXT = 1000;
