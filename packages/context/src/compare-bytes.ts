const BEYOND_SURROGATES = /[\ud800-\uffff]/;

/** Order of the names' UTF-8 bytes, which is JavaScript's own order but for characters beyond U+FFFF. */
export function compareBytes(a: string, b: string): number {
  if (BEYOND_SURROGATES.test(a) && BEYOND_SURROGATES.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
