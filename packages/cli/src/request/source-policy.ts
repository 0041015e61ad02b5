import type { PolicyRule, SourcePolicy } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';

/** The values of BuildKit's enumerations, in the order of their numbers. */
const ACTIONS = ['ALLOW', 'DENY', 'CONVERT'] as const;
const MATCH_TYPES = ['WILDCARD', 'EXACT', 'REGEX'] as const;
const CONDITIONS = ['EQUAL', 'NOTEQUAL', 'MATCHES'] as const;

/**
 * Reads a source policy of BuildKit, a JSON document.
 * @throws TbuildError USAGE for a file that is missing or not of this form.
 */
export function readSourcePolicy(path: string): SourcePolicy {
  const what = `Source policy ${JSON.stringify(path)}`;
  const bytes = readLimitedFile(path, { what, code: 'USAGE', pipes: true });
  if (bytes === undefined) throw new TbuildError('USAGE', `${what} does not exist`);
  return new PolicyReader(what).read(bytes.toString());
}

type Fields = Readonly<Record<string, unknown>>;

class PolicyReader {
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  read(text: string): SourcePolicy {
    const { rules = [] } = this.#object(this.#json(text), 'the document');
    return this.#list(rules, 'rules').map((rule, at) => this.#rule(this.#object(rule, `rules[${at}]`), `rules[${at}]`));
  }

  #rule({ action, selector: written, updates }: Fields, place: string): PolicyRule {
    const selector = this.#object(written, `${place}.selector`);
    const identifier = this.#text(selector.identifier, `${place}.selector.identifier`);
    const matchType = this.#choice(
      selector.match_type ?? selector.matchType,
      MATCH_TYPES,
      `${place}.selector.match_type`,
    );
    if (matchType === 'REGEX') this.#pattern(identifier, `${place}.selector.identifier`);
    const constraints = this.#list(selector.constraints ?? [], `${place}.selector.constraints`).map((one, at) =>
      this.#constraint(
        this.#object(one, `${place}.selector.constraints[${at}]`),
        `${place}.selector.constraints[${at}]`,
      ),
    );
    return {
      action: this.#choice(action, ACTIONS, `${place}.action`),
      selector: { identifier, matchType, constraints },
      ...(updates === undefined ? {} : { updates: this.#updates(this.#object(updates, `${place}.updates`), place) }),
    };
  }

  #constraint(fields: Fields, place: string): PolicyRule['selector']['constraints'][number] {
    const condition = this.#choice(fields.condition, CONDITIONS, `${place}.condition`);
    const value = this.#text(fields.value, `${place}.value`);
    if (condition === 'MATCHES') this.#pattern(value, `${place}.value`);
    return { key: this.#text(fields.key, `${place}.key`), value, condition };
  }

  #updates({ identifier, attrs = {} }: Fields, place: string): NonNullable<PolicyRule['updates']> {
    const attributes = Object.entries(this.#object(attrs, `${place}.updates.attrs`)).map(([name, value]) => [
      name,
      this.#text(value, `${place}.updates.attrs.${name}`),
    ]);
    return {
      ...(identifier === undefined || identifier === ''
        ? {}
        : { identifier: this.#text(identifier, `${place}.updates.identifier`) }),
      attributes: Object.fromEntries(attributes),
    };
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new TbuildError('USAGE', `${this.#what} is not valid JSON`, {
        hint: 'Write {"version": 1, "rules": [{"action": "DENY", "selector": {"identifier": "docker-image://*"}}]}',
        cause,
      });
    }
  }

  #object(value: unknown, place: string): Fields {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw this.#invalid(place, 'an object');
  }

  #list(value: unknown, place: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#invalid(place, 'an array');
  }

  #text(value: unknown, place: string): string {
    if (typeof value === 'string') return value;
    throw this.#invalid(place, 'a text');
  }

  /** The names of BuildKit, or their numbers; the first one is the default. */
  #choice<T extends string>(value: unknown, names: readonly [T, ...T[]], place: string): T {
    const found = value === undefined ? names[0] : names.find((name, at) => name === value || at === value);
    if (found !== undefined) return found;
    throw this.#invalid(place, names.join(', '));
  }

  #pattern(text: string, place: string): void {
    try {
      new RegExp(text);
    } catch {
      throw this.#invalid(place, 'a regular expression');
    }
  }

  #invalid(place: string, expected: string): TbuildError {
    return new TbuildError('USAGE', `${this.#what} is not valid: expected ${expected} as ${place}`);
  }
}
