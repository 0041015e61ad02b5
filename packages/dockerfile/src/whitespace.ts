/** Mirrors Go's `unicode.IsSpace`: JavaScript's `\s` plus U+0085 and without U+FEFF. */
export function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code === 0x85 || (code !== 0xfeff && /\s/.test(String.fromCharCode(code)));
}

/** Returns whether a keyword or a list is split here: Docker's `[\t\v\f\r ]`, narrower than {@link isSpace}. */
export function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || (code >= 0x0b && code <= 0x0d);
}

/** Returns the offset of the first character from `start` on that is not a space, at most `end`. */
export function skipSpaces(text: string, start: number, end = text.length): number {
  let at = start;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Returns the offset after the last character before `end` that is not a space, at least `start`. */
export function skipSpacesBack(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}
