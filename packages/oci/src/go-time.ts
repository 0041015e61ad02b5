const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Returns an RFC 3339 time as Go writes it: at most nanoseconds, no zeros at the end of the fraction, `Z` for UTC.
 * Undefined for any other text.
 */
export function goTime(text: string): string | undefined {
  const [, seconds, fraction = '', zone = ''] = RFC_3339.exec(text) ?? [];
  if (seconds === undefined || Number.isNaN(Date.parse(seconds + zone))) return undefined;
  const digits = fraction.slice(0, 9).replace(/0+$/, '');
  return seconds + (digits === '' ? '' : `.${digits}`) + (/^[+-]00:00$/.test(zone) ? 'Z' : zone);
}

/** Returns a time in milliseconds since 1970 as Go writes it. */
export function goTimeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.?0+Z$/, 'Z');
}

/** Returns a time in milliseconds since 1970 to the second, as in annotations. */
export function goSecondsOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
