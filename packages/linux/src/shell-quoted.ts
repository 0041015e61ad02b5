/** Returns a word as a POSIX shell reads it: plain where it has no character that a shell treats specially. */
export function shellQuoted(word: string): string {
  return /^[\w./@%+:-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
