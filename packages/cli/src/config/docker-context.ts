import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { dockerDirectory, member, readDockerConfig, readJson } from './docker-json.ts';
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
  const { DOCKER_HOST, DOCKER_CONTEXT } = variables;
  const directory = dockerDirectory(variables);
  if (name === undefined && DOCKER_HOST) return DOCKER_HOST;
  const chosen = name ?? (DOCKER_CONTEXT || currentContext(variables));
  if (chosen === undefined || chosen === 'default') return undefined;
  const file = directory && join(directory, 'contexts/meta', sha256(chosen), 'meta.json');
  const host = member(member(member(readJson(file), 'Endpoints'), 'docker'), 'Host');
  if (typeof host === 'string' && host !== '') return host;
  throw new TbuildError('USAGE', `Docker has no context ${JSON.stringify(chosen)}`, {
    hint: 'Run "docker context ls" for a list',
  });
}

function currentContext(variables: Environment['variables']): string | undefined {
  const name = member(readDockerConfig(variables), 'currentContext');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
