import { TbuildError } from '@tbuild/errors';
import { toBool, toNumber, toText } from '../value/convert.ts';
import { encodeJson } from '../value/json.ts';
import { Num } from '../value/number.ts';
import { isList, isMap, type Value } from '../value/value.ts';
import { requireSize, toIndex } from './function.ts';

const VERB = /%(?:(%)|([-+# 0]*)(\d*)(?:\.(\d*))?(?:\[(\d+)\])?([a-zA-Z]))/g;

/**
 * Formats values as `format` of HCL does.
 * @throws TbuildError BAKE_FILE for an unknown verb, and for arguments that are missing or left.
 */
export function sprintf(pattern: string, values: readonly Value[]): string {
  let next = 0;
  let used = 0;
  let text = '';
  let from = 0;
  for (const match of pattern.matchAll(VERB)) {
    const [whole, percent, flags = '', width = '', precision, index, verb = ''] = match;
    text += pattern.slice(from, match.index);
    from = match.index + whole.length;
    if (percent !== undefined) {
      text += '%';
      continue;
    }
    const at = index === undefined ? next : Number(index) - 1;
    next = at + 1;
    used = Math.max(used, next);
    const value = values[at];
    if (value === undefined) throw new TbuildError('BAKE_FILE', `not enough arguments for ${JSON.stringify(whole)}`);
    requireSize(Number(width) + Number(precision ?? 0));
    text += pad(render(value, { verb, precision, flags }), { flags, width: Number(width), verb });
  }
  if (used < values.length) throw new TbuildError('BAKE_FILE', `too many arguments; only ${used} used by the format`);
  return text + pattern.slice(from);
}

interface Verb {
  readonly verb: string;
  readonly precision?: string;
  readonly flags: string;
}

function render(value: Value, { verb, precision, flags }: Verb): string {
  const sign = (text: string): string => (flags.includes('+') && !text.startsWith('-') ? `+${text}` : text);
  switch (verb) {
    case 'v':
      if (flags.includes('#') || value === null || isList(value) || isMap(value)) return encodeJson(value);
      return value instanceof Num ? general(value.toNumber()) : toText(value);
    case 's': {
      const text = toText(value);
      return precision === undefined ? text : [...text].slice(0, Number(precision)).join('');
    }
    case 'q':
      return encodeJson(toText(value));
    case 't':
      return String(toBool(value));
    case 'd':
      return sign(String(toNumber(value).truncate()));
    case 'b':
    case 'o':
    case 'x':
    case 'X': {
      const text = toNumber(value).truncate().numerator.toString({ b: 2, o: 8, x: 16, X: 16 }[verb]);
      return sign(verb === 'X' ? text.toUpperCase() : text);
    }
    case 'f':
      return sign(toNumber(value).toFixed(Math.min(1000, Number(precision ?? 6))));
    case 'e':
    case 'g':
    case 'E':
    case 'G': {
      const text = floating(toNumber(value).toNumber(), verb.toLowerCase(), precision);
      return sign(verb === 'E' || verb === 'G' ? text.toUpperCase() : text);
    }
    case 'c':
      return String.fromCodePoint(toIndex(toNumber(value), 'The code point'));
    default:
      throw new TbuildError('BAKE_FILE', `unsupported format verb "%${verb}"`);
  }
}

function floating(value: number, verb: string, precision: string | undefined): string {
  return verb === 'g' ? general(value, precision) : exponential(value, Number(precision ?? 6));
}

/** Writes a number in the shorter of both forms: with an exponent below -4, or from the precision on, which is 6 by default. */
function general(value: number, precision?: string): string {
  const digits = precision === undefined ? undefined : Math.min(100, Math.max(1, Number(precision)));
  const rounded = digits === undefined ? value : Number(value.toPrecision(digits));
  const exponent = rounded === 0 ? 0 : Number(rounded.toExponential().split('e')[1]);
  if (exponent < -4 || exponent >= (digits ?? 6)) return exponential(rounded);
  return rounded.toFixed(Math.max(0, significant(rounded) - 1 - exponent));
}

/** Counts the digits of the shortest form that is this number. */
function significant(value: number): number {
  return value.toExponential().replace(/e.*|[-.]/g, '').length;
}

/** Go gives an exponent two digits at least. */
function exponential(value: number, decimals?: number): string {
  const text = decimals === undefined ? value.toExponential() : value.toExponential(Math.min(100, decimals));
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

function pad(
  text: string,
  { flags, width, verb }: { readonly flags: string; readonly width: number; readonly verb: string },
): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || 'sqv'.includes(verb)) return text.padStart(width);
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
