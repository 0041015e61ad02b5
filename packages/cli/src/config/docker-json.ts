import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import type { Environment } from './environment.ts';

/** Returns the directory of Docker's client; undefined where neither DOCKER_CONFIG nor HOME names one. */
export function dockerDirectory({ DOCKER_CONFIG, HOME }: Environment['variables']): string | undefined {
  return DOCKER_CONFIG || (HOME === undefined ? undefined : join(HOME, '.docker'));
}

/** Reads `config.json` of Docker's client; undefined if there is none, or it is no JSON. */
export function readDockerConfig(variables: Environment['variables']): unknown {
  const directory = dockerDirectory(variables);
  return readJson(directory && join(directory, 'config.json'));
}

/** Reads a file; undefined if there is none, or it is no JSON. */
export function readJson(file: string | undefined): unknown {
  try {
    return file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (errnoName(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Returns the member of a JSON object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
