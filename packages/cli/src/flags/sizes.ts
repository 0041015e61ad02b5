import { TbuildError } from '@tbuild/errors';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Reads a size such as `500mb`, `10GB` or `2GiB`; returns bytes.
 * @throws TbuildError USAGE
 */
export function parseSize(text: string, option: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number === '' || factor === undefined) {
    throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected a size`, {
      hint: 'Write for example 10GB',
    });
  }
  return Math.round(Number(number) * factor);
}

const SPANS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7 };

/**
 * Reads a span of time such as `24h`, `1h30m` or `7d`; returns milliseconds.
 * @throws TbuildError USAGE
 */
export function parseSpan(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    throw new TbuildError('USAGE', `Invalid ${option} ${JSON.stringify(text)}: expected a span of time`, {
      hint: 'Write for example 24h or 1h30m',
    });
  }
  return Math.round(parts.reduce((sum, [, number = '', unit = '']) => sum + Number(number) * (SPANS[unit] ?? 0), 0));
}

/**
 * Reads the spans of filters `until=SPAN`, or `unused-for=SPAN` as its older name.
 * @throws TbuildError USAGE
 */
export function parseUntil(filters: readonly string[]): readonly number[] {
  return filters.map((text) => {
    const span = /^(?:until|unused-for)=(.+)$/.exec(text)?.[1];
    if (span !== undefined) return parseSpan(span, '--filter');
    throw new TbuildError('USAGE', `Invalid --filter ${JSON.stringify(text)}: expected until=SPAN`, {
      hint: 'Write for example --filter until=24h',
    });
  });
}
