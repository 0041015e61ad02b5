import { suggest, TbuildError } from '@tbuild/errors';

type Read = (value: unknown, field: string) => string;

/** The fields of an object that a program sent; each is taken once, and what is left at the end is an error. */
export class CallFields<Name extends string> {
  readonly #place: string;
  readonly #left: Map<string, unknown>;
  readonly #asked = new Set<string>();

  /**
   * A field that is undefined is as good as none.
   * @throws TbuildError USAGE unless it is an object.
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

  read(name: Name, read: Read): string | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : read(value, this.#place + name);
  }

  text(name: Name): string | undefined {
    return this.read(name, textOf);
  }

  flag(name: Name): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw mustBe('true or false', value, this.#place + name);
  }

  number(name: Name): number | undefined {
    const value = this.take(name);
    if (value === undefined || (typeof value === 'number' && value >= 0)) return value;
    throw mustBe('a number that is not negative', value, this.#place + name);
  }

  list(name: Name, read: Read = textOf): readonly string[] | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : listOf(value, name).map((one, at) => read(one, `${name}[${at}]`));
  }

  /** The members of an object as `NAME=VALUE`. */
  pairs(name: Name, read: Read = textOf): readonly string[] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    return membersOf(value, name).map(([key, one]) => {
      if (key === '' || key.includes('='))
        throw usage(`Field ${JSON.stringify(name)} cannot have the name ${JSON.stringify(key)}`);
      return `${key}=${read(one, `${name}.${key}`)}`;
    });
  }

  /** @throws TbuildError USAGE for a field that nobody took. */
  done(): void {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return;
    const near = suggest(unknown, this.#asked);
    throw usage(
      `There is no field ${JSON.stringify(this.#place + unknown)}`,
      near === undefined ? undefined : `Did you mean ${JSON.stringify(this.#place + near)}?`,
    );
  }
}

/** @throws TbuildError USAGE unless it is a text. */
export function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw mustBe('a text', value, field);
}

/** A number or a text, as a text. @throws TbuildError USAGE for anything else. */
export function amountOf(value: unknown, field: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw mustBe('a number', value, field);
}

/** Options by name as one text of the command line; a text is taken for such a one. */
export function optionsOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  return membersOf(value, field)
    .filter(([, option]) => option !== undefined)
    .map(([name, option]) => quoted(`${name}=${optionOf(option, `${field}.${name}`)}`))
    .join(',');
}

function optionOf(value: unknown, field: string): string {
  if (Array.isArray(value)) return value.map((one, at) => textOf(one, `${field}[${at}]`)).join(',');
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : textOf(value, field);
}

/** As `parseFields` reads it. */
function quoted(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @throws TbuildError USAGE unless it is an array. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw mustBe('an array', value, field);
}

/** @throws TbuildError USAGE unless it is an object. */
export function membersOf(value: unknown, field: string): readonly [name: string, member: unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw mustBe('an object', value, field);
}

/** For a field that is something else. */
export function mustBe(wanted: string, value: unknown, field: string): TbuildError {
  const what = field === '' ? 'What is asked for' : `Field ${JSON.stringify(field)}`;
  return usage(`${what} must be ${wanted}, not ${describe(value)}`);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? String(value));
}

function usage(message: string, hint?: string): TbuildError {
  return new TbuildError('USAGE', message, { hint });
}
