import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineAddress, EngineTls } from '@tbuild/engine';
import { errnoName, TbuildError } from '@tbuild/errors';
import { dockerDirectory, member, readDockerConfig, readJson } from './docker-json.ts';
import type { Environment } from './environment.ts';

/** The address that Docker's client has without any choice. */
export const DOCKER_SOCKET = 'unix:///var/run/docker.sock';

type Variables = Pick<Environment, 'variables'>;

/**
 * Returns the address of the user's Docker, with the keys for it: that of the named context, else the one that Docker's
 * client finds (DOCKER_HOST, DOCKER_CONTEXT, the choice of `docker context use`). Undefined for the default.
 * @throws TbuildError USAGE for a context that does not exist.
 */
export function dockerAddress(name: string | undefined, { variables }: Variables): EngineAddress | undefined {
  const { DOCKER_HOST, DOCKER_CONTEXT } = variables;
  const directory = dockerDirectory(variables);
  if (name === undefined && DOCKER_HOST) return { host: DOCKER_HOST, tls: tlsOfVariables(variables) };
  const chosen = name ?? (DOCKER_CONTEXT || currentContext(variables));
  if (chosen === undefined || chosen === 'default') return undefined;
  const id = sha256(chosen);
  const file = directory && join(directory, 'contexts/meta', id, 'meta.json');
  const endpoint = member(member(readJson(file), 'Endpoints'), 'docker');
  const host = member(endpoint, 'Host');
  if (directory !== undefined && typeof host === 'string' && host !== '') {
    const keys = keysIn(join(directory, 'contexts/tls', id, 'docker'));
    const verify = member(endpoint, 'SkipTLSVerify') !== true;
    const hasTls = Object.keys(keys).length > 0 || !verify;
    return { host, tls: hasTls && isTcp(host) ? { ...keys, verify } : undefined };
  }
  throw new TbuildError('USAGE', `Docker has no context ${JSON.stringify(chosen)}`, {
    hint: 'Run "docker context ls" for a list',
  });
}

/** Variables that hold files of keys, which Docker's client has as options only. */
export const KEY_VARIABLES = {
  ca: 'TBUILD_DOCKER_CACERT',
  cert: 'TBUILD_DOCKER_CERT',
  key: 'TBUILD_DOCKER_KEY',
} as const;

/** DOCKER_TLS_VERIFY asks for TLS by its presence, whatever its value; DOCKER_TLS alone verifies nothing. */
function tlsOfVariables(variables: Environment['variables']): EngineTls | undefined {
  const { DOCKER_HOST = '', DOCKER_TLS_VERIFY = '', DOCKER_TLS = '', DOCKER_CERT_PATH } = variables;
  if (!isTcp(DOCKER_HOST) || (DOCKER_TLS_VERIFY === '' && DOCKER_TLS === '')) return undefined;
  const directory = DOCKER_CERT_PATH || dockerDirectory(variables);
  const keys = { ...(directory === undefined ? {} : keysIn(directory)), ...namedKeys(variables) };
  return { ...keys, verify: DOCKER_TLS_VERIFY !== '' };
}

/** Reads the files of --tlscacert, --tlscert and --tlskey. */
function namedKeys(variables: Environment['variables']): Pick<EngineTls, 'ca' | 'cert' | 'key'> {
  const named = Object.entries(KEY_VARIABLES).flatMap(([name, variable]) => {
    const file = variables[variable];
    if (file === undefined) return [];
    const bytes = readOptional(file);
    if (bytes !== undefined) return [[name, bytes] as const];
    throw new TbuildError('USAGE', `File ${JSON.stringify(file)} for the TLS of Docker does not exist`);
  });
  return Object.fromEntries(named);
}

function isTcp(host: string): boolean {
  return /^(?:tcp|https?):/.test(host);
}

function keysIn(directory: string): Pick<EngineTls, 'ca' | 'cert' | 'key'> {
  const names = ['ca', 'cert', 'key'] as const;
  const found = names.map((name) => [name, readOptional(join(directory, `${name}.pem`))] as const);
  return Object.fromEntries(found.filter(([, bytes]) => bytes !== undefined));
}

function readOptional(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (errnoName(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function currentContext(variables: Environment['variables']): string | undefined {
  const name = member(readDockerConfig(variables), 'currentContext');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
