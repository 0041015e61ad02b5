import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Environment } from './environment.ts';

/**
 * Returns the address of the user's Docker: that of the named context, else the one that Docker's client finds
 * (DOCKER_HOST, DOCKER_CONTEXT, the choice of `docker context use`). Undefined for the default.
 * @throws TbuildError USAGE for a context that does not exist.
 */
export function dockerHost(
  name: string | undefined,
  { variables }: Pick<Environment, 'variables'>,
): string | undefined {
  const { DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, HOME } = variables;
  const directory = DOCKER_CONFIG || (HOME === undefined ? undefined : join(HOME, '.docker'));
  if (name === undefined && DOCKER_HOST) return DOCKER_HOST;
  const chosen = name ?? (DOCKER_CONTEXT || currentContext(directory));
  if (chosen === undefined || chosen === 'default') return undefined;
  const file = directory && join(directory, 'contexts/meta', sha256(chosen), 'meta.json');
  const host = member(member(member(readJson(file), 'Endpoints'), 'docker'), 'Host');
  if (typeof host === 'string' && host !== '') return host;
  throw new TbuildError('USAGE', `Docker has no context ${JSON.stringify(chosen)}`, {
    hint: 'Run "docker context ls" for a list',
  });
}

function currentContext(directory: string | undefined): string | undefined {
  const name = member(readJson(directory && join(directory, 'config.json')), 'currentContext');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function readJson(file: string | undefined): unknown {
  try {
    return file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (errnoName(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
