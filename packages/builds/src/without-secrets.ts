import { withoutCredentials } from '@tbuild/errors';
import { isSecretName } from '@tbuild/frontend';

/** Stands for a value that a record does not hold. */
const HIDDEN = '***';

/** Shorter values are hidden under their names only: they are part of other words. */
const SHORTEST = 4;

/** Values below this length are hidden only where they are whole words. */
const LONG = 8;

/** Fields with words of the record's own. */
const OWN_WORDS: ReadonlySet<string> = new Set(['kind', 'type', 'status', 'outcome', 'stream', 'code']);

/** Encodes plain data as JSON. */
export type Encode = (value: unknown) => string;

/**
 * Returns an encoder that leaves out credentials in URLs, and the values that requests have under names of secrets,
 * wherever these occur in texts. Digests and the record's own words stay.
 */
export function encoderWithout(requests: unknown): Encode {
  const values = new Set(secretsIn(requests).filter(({ length }) => length >= SHORTEST));
  const pattern = new RegExp([DIGEST, ...longestFirst(values).map(patternOf)].join('|'), 'g');
  const shown = (found: string): string => (found.length >= DIGEST_LENGTH && !values.has(found) ? found : HIDDEN);
  const hide = (name: string, value: unknown): unknown =>
    typeof value === 'string' && !OWN_WORDS.has(name) ? value.replace(pattern, shown) : value;
  // Calling a function for each value costs more than all the rest of a record.
  return (value) => withoutCredentials(JSON.stringify(value, values.size === 0 ? undefined : hide));
}

const DIGEST_LENGTH = 64;
const DIGEST = `(?:sha256:|\\b)[0-9a-f]{${DIGEST_LENGTH}}\\b`;

function longestFirst(values: ReadonlySet<string>): readonly string[] {
  return [...values].toSorted((a, b) => b.length - a.length);
}

function patternOf(value: string): string {
  const escaped = value.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return value.length < LONG ? `(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])` : escaped;
}

/** Returns plain data without the values under names of secrets. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'string' && isSecret(name) ? HIDDEN : withoutSecrets(member),
    ]),
  );
}

/**
 * Returns a function that hides the values of variables, `NAME=value`, that are named like secrets. Only where a request has
 * such a value, from which a variable may be made: every other one is in a Dockerfile or an image.
 */
export function variablesWithout(requests: unknown): (env: readonly string[]) => readonly string[] {
  if (secretsIn(requests).length === 0) return (env) => env;
  return (env) =>
    env.map((entry) => {
      const name = nameOf(entry);
      return isSecret(name) ? `${name}=${HIDDEN}` : entry;
    });
}

/** Returns the names of variables whose values a record does not hold. */
export function hiddenNames(env: readonly string[]): readonly string[] {
  return env.filter((entry) => entry.endsWith(`=${HIDDEN}`)).map(nameOf);
}

function nameOf(entry: string): string {
  return entry.slice(0, entry.indexOf('='));
}

function secretsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === 'string' ? (isSecret(name) && member !== '' ? [member] : []) : secretsIn(member),
  );
}

/** Fields of requests are in camel case, variables have underscores. The path of an agent's socket is no secret. */
function isSecret(name: string): boolean {
  return name !== 'SSH_AUTH_SOCK' && isSecretName(name.replace(/(?<=[a-z])(?=[A-Z])/g, '_'));
}
