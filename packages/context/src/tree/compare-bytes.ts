const BEYOND_SURROGATES = /[\ud800-\uffff]/;

/** Compares names by their UTF-8 bytes. That is JavaScript's order, except for characters beyond U+FFFF. */
export function compareBytes(a: string, b: string): number {
  if (BEYOND_SURROGATES.test(a) && BEYOND_SURROGATES.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
