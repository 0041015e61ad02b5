const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PART = /(\d*)(?:\.(\d*))?([^\d.]*)/y;
const MAX_NANOSECONDS = 2n ** 63n - 1n;

/** Parses a duration in Go's syntax (`1h30m`, `1.5s`, `0`). Returns nanoseconds, or the fault. */
export function parseDuration(text: string): number | { readonly fault: string } {
  const invalid = { fault: `invalid duration "${text}"` };
  const unsigned = text.replace(/^[-+]/, '');
  if (unsigned === '0') return 0;
  if (unsigned === '') return invalid;
  let total = 0n;
  for (PART.lastIndex = 0; PART.lastIndex < unsigned.length;) {
    const [, whole = '', fraction = '', unit = ''] = PART.exec(unsigned) ?? [];
    if (whole === '' && fraction === '') return invalid;
    if (unit === '') return { fault: `missing unit in duration "${text}"` };
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (scale === undefined) return { fault: `unknown unit "${unit}" in duration "${text}"` };
    total += BigInt(whole) * scale + (BigInt(`0${fraction}`) * scale) / 10n ** BigInt(fraction.length);
    if (total > MAX_NANOSECONDS) return invalid;
  }
  return Number(text.startsWith('-') ? -total : total);
}
