import { goFields } from './go-fields.ts';
import { isRecord } from './is-record.ts';

/** Durations are nanoseconds, as Docker writes them. */
export interface HealthConfig {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The `config` object of an image ("OCI Image Configuration"), with Docker's additions. */
export interface RuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
  readonly Healthcheck?: HealthConfig;
}

/** Returns a field's value in its type, or undefined if the value has another type. */
type Read<T> = (value: unknown) => T | undefined;

const FIELDS: { readonly [Name in keyof Required<RuntimeConfig>]: Read<RuntimeConfig[Name]> } = {
  User: text,
  ExposedPorts: set,
  Env: texts,
  Entrypoint: texts,
  Cmd: texts,
  Volumes: set,
  WorkingDir: text,
  Labels: textsByName,
  StopSignal: text,
  ArgsEscaped: (value) => (typeof value === 'boolean' ? value : undefined),
  OnBuild: texts,
  Shell: texts,
  Healthcheck: health,
};

/**
 * Checks the known fields of an image's `config`; other fields pass unchanged. As in Go, null counts as absent, and as an
 * empty string inside a list or an object.
 * @throws the error that `invalid` makes of the name of a field with a value of another type.
 */
export function parseRuntimeConfig(
  record: Readonly<Record<string, unknown>>,
  invalid: (field: string) => Error,
): RuntimeConfig {
  const entries = Object.entries(goFields(record, Object.keys(FIELDS))).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const read: Read<unknown> | undefined = isField(name) ? FIELDS[name] : undefined;
      const known = read === undefined ? value : read(value);
      if (known === undefined) throw invalid(name);
      return [name, known];
    }),
  );
}

function isField(name: string): name is keyof RuntimeConfig {
  return Object.hasOwn(FIELDS, name);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: unknown[] = value.map((item: unknown) => item ?? '');
  return items.every((item) => typeof item === 'string') ? items : undefined;
}

function textsByName(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [name, item ?? '']);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : undefined;
}

function set(value: unknown): Readonly<Record<string, object>> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [name, item ?? {}]);
  return entries.every((entry): entry is [string, object] => isRecord(entry[1]))
    ? Object.fromEntries(entries)
    : undefined;
}

const HEALTH_FIELDS = ['Test', 'Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'];

function health(value: unknown): HealthConfig | undefined {
  if (!isRecord(value)) return undefined;
  const { Test: test, ...times } = goFields(value, HEALTH_FIELDS);
  const numbers = Object.entries(times).filter(([, time]) => time !== null);
  const command = test === null || test === undefined ? [] : texts(test);
  if (command === undefined || numbers.some(([, time]) => typeof time !== 'number')) return undefined;
  return { ...(test === null || test === undefined ? {} : { Test: command }), ...Object.fromEntries(numbers) };
}
