import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import type { Environment } from './environment.ts';
import { parseFields } from './fields.ts';

/**
 * Reads the `--secret` options and returns what gives a secret's value when a step asks for it. Without
 * `src` or `env`, a variable named by the id is taken, else a file of that name.
 * @throws TbuildError USAGE for an option without an id or a file that is missing.
 */
export function parseSecrets(texts: readonly string[], env: Environment): (id: string) => Buffer | undefined {
  const readers = new Map<string, () => Buffer | undefined>();
  for (const text of texts) {
    const { id, src, source, env: name, type } = parseFields(text, 'secret');
    if (id === undefined) throw new TbuildError('USAGE', `Secret ${JSON.stringify(text)} has no id`, { hint: 'Write --secret id=ID,src=FILE' });
    const variable = name ?? (type === 'env' ? (src ?? source ?? id) : undefined);
    const file = type === 'env' ? undefined : (src ?? source);
    readers.set(id, reader(id, variable, file, env));
  }
  return (id) => readers.get(id)?.();
}

function reader(id: string, variable: string | undefined, file: string | undefined, { variables, cwd }: Environment): () => Buffer | undefined {
  const named = variable ?? (file === undefined && variables[id] !== undefined ? id : undefined);
  if (named !== undefined) {
    const value = variables[named];
    return () => (value === undefined ? undefined : Buffer.from(value));
  }
  const path = resolve(cwd, file ?? id);
  if (!existsSync(path)) throw new TbuildError('USAGE', `File ${JSON.stringify(path)} of secret ${JSON.stringify(id)} does not exist`);
  return () => readFileSync(path);
}
