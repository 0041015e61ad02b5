import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { readLimitedFile } from '@tbuild/linux';
import type { Environment } from '../config/environment.ts';
import { parseFields } from '../flags/fields.ts';

/** The limit of Docker's client. */
const LARGEST = 500 * 1024;

const FIELDS = ['id', 'src', 'source', 'env', 'type', 'rebuild'];

/**
 * Reads the `--secret` options and returns a function that returns the value of a secret when a step asks for it.
 * Without `src` or `env`, the value is the variable named by the id, else the file of that name.
 * @throws TbuildError USAGE for an option without an id, an unknown field, or a file that is missing or too large.
 */
export function parseSecrets(texts: readonly string[], env: Environment): (id: string) => Buffer | undefined {
  const readers = new Map<string, () => Buffer | undefined>();
  for (const text of texts) {
    const source = parseSecret(text);
    readers.set(source.id, reader(source, env));
  }
  return (id) => readers.get(id)?.();
}

/** Returns the ids of the secrets with `rebuild=true`. */
export function rebuildSecrets(texts: readonly string[]): readonly string[] {
  return texts.map(parseSecret).flatMap(({ id, rebuild }) => (rebuild ? [id] : []));
}

/** Returns the file that a `--secret` may read, also where it names none. */
export function fileOfSecret(text: string): string | undefined {
  const { id, file, variable } = parseSecret(text);
  return variable === undefined ? (file ?? id) : undefined;
}

interface SecretSource {
  readonly id: string;
  readonly file?: string;
  readonly variable?: string;
  /** Whether a change of the secret runs its steps again. */
  readonly rebuild: boolean;
}

function parseSecret(text: string): SecretSource {
  const fields = parseFields(text, '--secret');
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw usage(text, `unknown field "${unknown}"`, `Fields are ${FIELDS.join(', ')}`);
  const { id, src, source, env, type = env === undefined ? 'file' : 'env' } = fields;
  const rebuild = rebuildOf(text, fields.rebuild);
  if (id === undefined || id === '') throw usage(text, 'id= is required', 'Write --secret id=ID,src=FILE');
  const path = src ?? source;
  if (type === 'env') return { id, variable: env ?? path ?? id, rebuild };
  if (type === 'file') return { id, file: path, variable: env, rebuild };
  throw usage(text, `type "${type}" is not one of file, env`);
}

function rebuildOf(text: string, value = 'false'): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw usage(text, 'rebuild must be true or false');
}

function usage(text: string, problem: string, hint?: string): TbuildError {
  return new TbuildError('USAGE', `Invalid --secret ${JSON.stringify(text)}: ${problem}`, { hint });
}

function reader({ id, variable, file }: SecretSource, { variables, cwd }: Environment): () => Buffer | undefined {
  const named = variable ?? (file === undefined && variables[id] !== undefined ? id : undefined);
  if (named !== undefined) {
    const value = variables[named];
    return () => (value === undefined ? undefined : limitedSecret(id, Buffer.from(value)));
  }
  const path = resolve(cwd, file ?? id);
  const what = `File ${JSON.stringify(path)} of secret ${JSON.stringify(id)}`;
  const read = (): Buffer => {
    const value = readLimitedFile(path, { what, code: 'USAGE', limit: LARGEST, pipes: true });
    if (value === undefined) throw new TbuildError('USAGE', `${what} does not exist`);
    return value;
  };
  // A file may change until a step asks for it; a pipe can be read only once.
  const now = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? undefined : read();
  return () => now ?? read();
}

/**
 * Returns the value.
 * @throws TbuildError USAGE when it is larger than Docker's client allows.
 */
export function limitedSecret(id: string, value: Buffer): Buffer {
  if (value.length <= LARGEST) return value;
  throw new TbuildError('USAGE', `Secret ${JSON.stringify(id)} has ${value.length} bytes, expected at most ${LARGEST}`);
}
