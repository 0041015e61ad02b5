import { TbuildError } from '@tbuild/errors';

/** An exact number: a fraction in lowest terms with a positive denominator. */
export class Num {
  readonly numerator: bigint;
  readonly denominator: bigint;

  private constructor(numerator: bigint, denominator: bigint) {
    this.numerator = numerator;
    this.denominator = denominator;
  }

  static of(numerator: bigint | number, denominator: bigint = 1n): Num {
    if (typeof numerator === 'number')
      return Number.isInteger(numerator) ? Num.of(BigInt(numerator)) : Num.approximate(numerator);
    if (denominator === 0n) throw new TbuildError('BAKE_FILE', 'Division by zero');
    const sign = denominator < 0n ? -1n : 1n;
    const divisor = greatestCommonDivisor(numerator, denominator) * sign;
    const lowest = new Num(numerator / divisor, denominator / divisor);
    requireSize(lowest);
    return lowest;
  }

  /**
   * Parses a decimal number such as `-1.5e3`.
   * @returns undefined for any other text.
   */
  static parse(text: string): Num | undefined {
    const match = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text);
    if (match === null) return undefined;
    const [, sign, whole = '', fraction = '', exponent = '0'] = match;
    if (whole === '' && fraction === '') return undefined;
    const power = Number(exponent) - fraction.length;
    if (text.length > LONGEST || Math.abs(power) > LONGEST) throw tooLarge();
    const digits = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
    return power < 0 ? Num.of(digits, 10n ** BigInt(-power)) : Num.of(digits * 10n ** BigInt(power));
  }

  private static approximate(value: number): Num {
    if (!Number.isFinite(value)) throw new TbuildError('BAKE_FILE', 'The result is not a finite number');
    return Num.parse(String(value)) ?? Num.of(0n);
  }

  get isInteger(): boolean {
    return this.denominator === 1n;
  }

  add(other: Num): Num {
    const { numerator: n, denominator: d } = this;
    return Num.of(n * other.denominator + other.numerator * d, d * other.denominator);
  }

  negate(): Num {
    return Num.of(-this.numerator, this.denominator);
  }

  subtract(other: Num): Num {
    return this.add(other.negate());
  }

  multiply(other: Num): Num {
    return Num.of(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  /** @throws TbuildError BAKE_FILE for division by zero. */
  divide(other: Num): Num {
    return Num.of(this.numerator * other.denominator, this.denominator * other.numerator);
  }

  /** Returns the remainder of a division that rounds towards zero. */
  modulo(other: Num): Num {
    return this.subtract(other.multiply(this.divide(other).truncate()));
  }

  truncate(): Num {
    return Num.of(this.numerator / this.denominator);
  }

  floor(): Num {
    const whole = this.truncate();
    return this.numerator < 0n && !this.isInteger ? whole.subtract(Num.of(1n)) : whole;
  }

  compare(other: Num): number {
    const difference = this.numerator * other.denominator - other.numerator * this.denominator;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  toNumber(): number {
    return Number(this.toString());
  }

  /** Returns the number in decimals, rounded to 154 significant digits, as HCL's binary precision gives them. */
  toString(): string {
    if (this.isInteger) return String(this.numerator);
    const whole = String(this.truncate().numerator).replace('-', '');
    return this.toFixed(Math.max(1, DIGITS - (whole === '0' ? leadingZeros(this) * -1 : whole.length))).replace(
      /\.?0+$/,
      '',
    );
  }

  /** Returns the number with so many decimals, halves rounded away from zero. */
  toFixed(decimals: number): string {
    const scale = 10n ** BigInt(decimals);
    const magnitude = (this.numerator < 0n ? -this.numerator : this.numerator) * scale;
    const rounded = (magnitude * 2n + this.denominator) / (this.denominator * 2n);
    const digits = String(rounded).padStart(decimals + 1, '0');
    const sign = this.numerator < 0n && rounded !== 0n ? '-' : '';
    const whole = digits.slice(0, digits.length - decimals);
    return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-decimals)}`;
  }
}

const DIGITS = 154;

/** The most digits that a number may have. */
const LONGEST = 4096;

const LARGEST = 10n ** BigInt(LONGEST);

function requireSize({ numerator, denominator }: Num): void {
  if (numerator > LARGEST || numerator < -LARGEST || denominator > LARGEST) throw tooLarge();
}

function tooLarge(): TbuildError {
  return new TbuildError('BAKE_FILE', `A number has more than ${LONGEST} digits`);
}

function leadingZeros({ numerator, denominator }: Num): number {
  const magnitude = numerator < 0n ? -numerator : numerator;
  return Math.max(0, String(denominator).length - String(magnitude).length);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}
