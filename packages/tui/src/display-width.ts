const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const INVISIBLE = /[\p{Mark}\p{Format}]/u;
const ASCII = /^[ -~]*$/;
const TAB = /\t/g;

/** Returns how many columns of a terminal a text without escape sequences takes. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Returns the longest prefix of `text` that fits, with tabs as single blanks. */
export function cutToWidth(text: string, width: number): string {
  const flat = text.replace(TAB, ' ');
  if (ASCII.test(flat)) return flat.slice(0, width);
  let used = 0;
  let cut = '';
  for (const character of flat) {
    used += characterWidth(character);
    if (used > width) break;
    cut += character;
  }
  return cut;
}

export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function characterWidth(character: string): number {
  if (INVISIBLE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
