import { TbuildError } from '@tbuild/errors';
import { Num } from '../value/number.ts';
import { fn, toIndex, variadic, type BakeFunction } from './function.ts';

const ceil = (number: Num): Num => number.negate().floor().negate();

function parseInteger(text: string, base: Num): Num {
  const radix = toIndex(base, 'The base');
  if (radix < 2 || radix > 62) throw new TbuildError('BAKE_FILE', 'The base has to be from 2 to 62');
  const digits = /^[-+]?([0-9a-zA-Z]+)$/.exec(text)?.[1];
  if (digits === undefined || digits.length > 4096) throw notAnInteger(text, radix);
  let value = 0n;
  for (const digit of digits) {
    const worth = digitValue(digit, radix);
    if (worth >= radix) throw notAnInteger(text, radix);
    value = value * BigInt(radix) + BigInt(worth);
  }
  return Num.of(text.startsWith('-') ? -value : value);
}

function digitValue(digit: string, radix: number): number {
  if (radix <= 36) return Number.parseInt(digit, 36);
  return '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(digit);
}

function notAnInteger(text: string, radix: number): TbuildError {
  return new TbuildError('BAKE_FILE', `${JSON.stringify(text)} is not a whole number in base ${radix}`);
}

function extreme(numbers: readonly Num[], sign: number): Num {
  const [first, ...rest] = numbers;
  if (first === undefined) throw new TbuildError('BAKE_FILE', 'expected at least 1 argument, found 0');
  return rest.reduce((best, number) => (number.compare(best) * sign > 0 ? number : best), first);
}

/** The functions of numbers, and comparisons. */
export const numberFunctions: Readonly<Record<string, BakeFunction>> = {
  absolute: fn(['number'], (a) => (a.numerator < 0n ? a.negate() : a)),
  add: fn(['number', 'number'], (a, b) => a.add(b)),
  ceil: fn(['number'], ceil),
  divide: fn(['number', 'number'], (a, b) => a.divide(b)),
  floor: fn(['number'], (a) => a.floor()),
  greaterthan: fn(['number', 'number'], (a, b) => a.compare(b) > 0),
  greaterthanorequalto: fn(['number', 'number'], (a, b) => a.compare(b) >= 0),
  int: fn(['number'], (a) => a.truncate()),
  lessthan: fn(['number', 'number'], (a, b) => a.compare(b) < 0),
  lessthanorequalto: fn(['number', 'number'], (a, b) => a.compare(b) <= 0),
  // As in Go, logarithms and powers are those of floating-point numbers.
  log: fn(['number', 'number'], (a, b) => Num.of(Math.log(a.toNumber()) / Math.log(b.toNumber()))),
  max: variadic([], 'number', (numbers) => extreme(numbers, 1)),
  min: variadic([], 'number', (numbers) => extreme(numbers, -1)),
  modulo: fn(['number', 'number'], (a, b) => a.modulo(b)),
  multiply: fn(['number', 'number'], (a, b) => a.multiply(b)),
  negate: fn(['number'], (a) => a.negate()),
  parseint: fn(['string', 'number'], parseInteger),
  pow: fn(['number', 'number'], (a, b) => Num.of(a.toNumber() ** b.toNumber())),
  signum: fn(['number'], (a) => Num.of(a.compare(Num.of(0n)))),
  subtract: fn(['number', 'number'], (a, b) => a.subtract(b)),
};
