import { suggest, TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import { masked, parseFields } from '../flags/fields.ts';

/** An option that holds settings of its own, such as `--output`. */
export interface OptionKind {
  /** The option as messages name it. */
  readonly option: string;
  /** Advice for a value that is not valid. */
  readonly hint: string;
}

/** The settings of one option, each taken once; {@link OptionFields.done} refuses the rest. */
export class OptionFields {
  readonly #shown: string;
  readonly #kind: OptionKind;
  readonly #left: Map<string, unknown>;
  readonly #asked = new Set<string>();

  /** Reads `name=value,name=value` as on the command line, or an object with the same names. */
  constructor(written: string | object, kind: OptionKind) {
    const fields = Object.entries<unknown>(
      typeof written === 'string' ? parseFields(written, kind.option) : { ...written },
    );
    this.#left = new Map(fields.filter(([, value]) => value !== undefined));
    this.#shown = masked(
      typeof written === 'string'
        ? written
        : [...this.#left].map(([name, value]) => `${name}=${String(value)}`).join(','),
    );
    this.#kind = kind;
  }

  /** The names that were not taken yet. */
  get left(): readonly string[] {
    return [...this.#left.keys()];
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.invalid(`${name} must be a text`);
  }

  /** @throws TbuildError USAGE unless the field has a value. */
  required(name: string, hint?: string): string {
    const value = this.text(name);
    if (value !== undefined && value !== '') return value;
    throw this.invalid(`${name}= is required`, hint);
  }

  /** Reads what Go's `strconv.ParseBool` takes; a bare name is true. */
  flag(name: string): boolean | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    const isOn = value === '' ? true : goBool(String(value));
    if (isOn !== undefined) return isOn;
    throw this.invalid(`${name} must be true or false`);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const choice = choices.find((one) => one === text);
    if (text === undefined || choice !== undefined) return choice;
    const near = suggest(text, choices);
    throw this.invalid(
      `${name} ${JSON.stringify(text)} is not one of ${choices.join(', ')}`,
      near === undefined ? undefined : `Did you mean ${name}=${near}?`,
    );
  }

  /** Reads a whole number from 0 to `most`. */
  number(name: string, most: number, reason: string): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(String(value)) ? Number(value) : Infinity;
    if (number <= most) return number;
    throw this.invalid(reason);
  }

  /** Reads a list: with commas between, or as an array. */
  list(name: string): readonly string[] | undefined {
    const value = this.#take(name);
    const list = typeof value === 'string' ? value.split(',') : value;
    if (list === undefined) return undefined;
    if (Array.isArray(list)) return list.filter((one): one is string => typeof one === 'string' && one !== '');
    throw this.invalid(`${name} must be a text or an array`);
  }

  /**
   * Refuses a setting of Docker's builder that tbuild lacks, unless it has the harmless value.
   * @throws TbuildError USAGE with a hint that says what to do instead.
   */
  refuse(name: string, hint: string, harmless?: string): void {
    const value = this.#take(name);
    if (value === undefined || String(value) === harmless) return;
    throw new TbuildError('USAGE', `${this.#kind.option} does not support ${name}=${String(value)}`, { hint });
  }

  /**
   * Returns `result`, which the taken fields of an option of this type make.
   * @throws TbuildError USAGE for a field that was not taken.
   */
  done<T>(type: string, result: T): T {
    const [unknown] = this.#left.keys();
    if (unknown === undefined) return result;
    this.#asked.delete('type');
    const near = suggest(unknown, this.#asked);
    throw this.invalid(
      `type ${type} has no option ${JSON.stringify(unknown)}`,
      near === undefined ? `Use its options: ${[...this.#asked].join(', ')}` : `Did you mean ${near}=?`,
    );
  }

  invalid(reason: string, hint = this.#kind.hint): TbuildError {
    return new TbuildError('USAGE', `Invalid ${this.#kind.option} ${JSON.stringify(this.#shown)}: ${reason}`, { hint });
  }

  #take(name: string): unknown {
    this.#asked.add(name);
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }
}
