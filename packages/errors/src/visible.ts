/**
 * Returns a text with `�` for each character that changes the terminal, the order of what it shows, or where a line begins:
 * all controls but tabs and line feeds. Lengths stay.
 */
export function visible(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** Returns such a text as one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', ' ');
}
