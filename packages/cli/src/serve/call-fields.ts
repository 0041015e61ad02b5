import { suggest, TbuildError } from '@tbuild/errors';

type Read<T> = (value: unknown, field: string) => T;

/** The fields of an object that a program sent. Each is taken once; {@link CallFields.done} refuses the rest. */
export class CallFields<Name extends string> {
  readonly #place: string;
  readonly #left: Map<string, unknown>;
  readonly #asked = new Set<string>();

  /**
   * Treats a field that is undefined as missing.
   * @throws TbuildError USAGE unless the value is an object.
   */
  constructor(value: unknown, place = '') {
    this.#place = place === '' ? '' : `${place}.`;
    this.#left = new Map(membersOf(value, place).filter(([, member]) => member !== undefined));
  }

  take(name: Name): unknown {
    this.#asked.add(name);
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  read<T>(name: Name, read: Read<T>): T | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : read(value, this.#place + name);
  }

  text(name: Name): string | undefined {
    return this.read(name, textOf);
  }

  flag(name: Name): boolean | undefined {
    return this.read(name, flagOf);
  }

  number(name: Name): number | undefined {
    return this.read(name, numberOf);
  }

  list<T>(name: Name, read: Read<T>): readonly T[] | undefined {
    return this.read(name, (value, field) => listOf(value, field).map((one, at) => read(one, `${field}[${at}]`)));
  }

  /** Reads the members of an object. */
  record<T>(name: Name, read: Read<T>): Readonly<Record<string, T>> | undefined {
    return this.read(name, (value, field) =>
      Object.fromEntries(
        membersOf(value, field).map(([key, one]) => {
          if (key !== '' && !key.includes('=')) return [key, read(one, `${field}.${key}`)];
          throw usage(`Field ${JSON.stringify(field)} cannot have the name ${JSON.stringify(key)}`);
        }),
      ),
    );
  }

  /** @throws TbuildError USAGE for a field that was not taken. */
  done(): void {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return;
    const near = suggest(unknown, this.#asked);
    throw usage(
      `Unknown field ${JSON.stringify(this.#place + unknown)}`,
      near === undefined ? undefined : `Did you mean ${JSON.stringify(this.#place + near)}?`,
    );
  }
}

/** @throws TbuildError USAGE unless the value is a text. */
export function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw mustBe('a text', value, field);
}

/** Reads a number, or a text such as `64m`. @throws TbuildError USAGE for anything else. */
export function amountOf(value: unknown, field: string): number | string {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw mustBe('a number', value, field);
}

function flagOf(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw mustBe('true or false', value, field);
}

function numberOf(value: unknown, field: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw mustBe('a number that is not negative', value, field);
}

/**
 * Reads options: an object of plain values, or the text of the command line. Their names are checked together with
 * their values, when the request is made.
 * @throws TbuildError USAGE for anything else.
 */
export function optionsOf<T extends object>(value: unknown, field: string): T | string {
  if (typeof value === 'string') return value;
  for (const [name, option] of membersOf(value, field)) {
    const isPlain = option === undefined || ['string', 'number', 'boolean'].includes(typeof option);
    if (!isPlain) listOf(option, `${field}.${name}`).forEach((one, at) => textOf(one, `${field}.${name}[${at}]`));
  }
  return value as T;
}

/** @throws TbuildError USAGE unless the value is an array. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw mustBe('an array', value, field);
}

/** @throws TbuildError USAGE unless the value is an object. */
export function membersOf(value: unknown, field: string): readonly [name: string, member: unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw mustBe('an object', value, field);
}

/** Returns the error for a field of another type. */
export function mustBe(wanted: string, value: unknown, field: string): TbuildError {
  const what = field === '' ? 'The argument' : `Field ${JSON.stringify(field)}`;
  return usage(`${what} must be ${wanted}, not ${describe(value)}`);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? String(value));
}

function usage(message: string, hint?: string): TbuildError {
  return new TbuildError('USAGE', message, { hint });
}
