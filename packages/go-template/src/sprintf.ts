import { printValue, type GoValue } from './go-value.ts';

const VERB = /%(?<flags>[-+# 0]*)(?<width>\d+)?(?:\.(?<precision>\d+))?(?<verb>[a-zA-Z%])/g;

/** Mirrors `fmt.Sprintf` with the verbs for texts, numbers and booleans. Other verbs are reported as in Go. */
export function sprintf(format: string, values: readonly GoValue[]): string {
  const left = [...values];
  // The parameters are the groups of VERB.
  const text = format.replaceAll(VERB, (_, flags: string, width = '', precision?: string, verb = '') => {
    if (verb === '%') return '%';
    if (left.length === 0) return `%!${verb}(MISSING)`;
    const shown = formatOne(verb, left.shift(), { flags, precision });
    if (flags.includes('-')) return shown.padEnd(Number(width));
    return shown.padStart(Number(width), flags.includes('0') ? '0' : ' ');
  });
  return left.length === 0 ? text : `${text}%!(EXTRA ${left.map(printValue).join(', ')})`;
}

function formatOne(
  verb: string,
  value: GoValue,
  { flags, precision }: { readonly flags: string; readonly precision?: string },
): string {
  if (verb === 's' || verb === 'v') {
    const text = printValue(value);
    return precision === undefined ? text : text.slice(0, Number(precision));
  }
  if (verb === 'q') return JSON.stringify(printValue(value));
  if (verb === 't' && typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return formatNumber(verb, value, { flags, precision });
  if (verb === 'x') return Buffer.from(printValue(value)).toString('hex');
  return `%!${verb}(${printValue(value)})`;
}

const RADIX: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 };

function formatNumber(
  verb: string,
  value: number,
  { flags, precision }: { readonly flags: string; readonly precision?: string },
): string {
  const sign = flags.includes('+') && value >= 0 ? '+' : '';
  const radix = RADIX[verb];
  if (radix !== undefined) {
    const digits = value.toString(radix);
    return sign + (verb === 'X' ? digits.toUpperCase() : digits);
  }
  if (verb === 'f' || verb === 'F') return sign + value.toFixed(Number(precision ?? 6));
  return verb === 'e' || verb === 'g' ? String(value) : `%!${verb}(${value})`;
}
