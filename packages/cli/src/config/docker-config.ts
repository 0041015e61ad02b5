import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchownSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { recordOf } from '@tbuild/oci';
import { authKey } from '@tbuild/registry';
import { runProgram } from '../services/run-program.ts';
import type { Environment } from './environment.ts';

const DOCKER_HUB = 'https://index.docker.io/v1/';

/** Where a credential is kept, as a text for people. */
export type CredentialPlace = string;

/** Docker's configuration, `~/.docker/config.json`, for writing. */
export interface DockerConfig {
  /** Keeps a password where Docker would: with the configured helper, else in the file. */
  store(registry: string, username: string, password: string): Promise<CredentialPlace>;
  /** Removes a password; returns whether there was one. */
  erase(registry: string): Promise<boolean>;
}

/** Returns the registry that `login` and `logout` were given, as a URL or as the name of an image. */
export function registryOf(server: string): string {
  return authKey(server).split('/')[0] ?? server;
}

/**
 * Opens the configuration.
 * @throws TbuildError USAGE when there is no place for it.
 */
export function openDockerConfig(env: Environment): DockerConfig {
  const path = configPath(env);
  return {
    async store(registry, username, password) {
      const config = read(path);
      const helper = helperOf(config, registry);
      if (helper !== undefined) {
        const input = JSON.stringify({ ServerURL: serverOf(registry), Username: username, Secret: password });
        await askHelper({ helper, action: 'store', input }, env);
        write(path, { ...config, auths: { ...recordOf(config.auths), [serverOf(registry)]: {} } }, env);
        return `docker-credential-${helper}`;
      }
      const entry = { auth: Buffer.from(`${username}:${password}`).toString('base64') };
      write(path, { ...config, auths: { ...without(config.auths, registry), [serverOf(registry)]: entry } }, env);
      return path;
    },
    async erase(registry) {
      const config = read(path);
      const helper = helperOf(config, registry);
      const auths = without(config.auths, registry);
      const known = Object.keys(auths).length < Object.keys(recordOf(config.auths)).length;
      if (helper !== undefined) await askHelper({ helper, action: 'erase', input: serverOf(registry) }, env);
      if (known) write(path, { ...config, auths }, env);
      return known || helper !== undefined;
    },
  };
}

function configPath({ variables }: Environment): string {
  const { DOCKER_CONFIG, HOME } = variables;
  const directory = DOCKER_CONFIG ?? (HOME === undefined ? undefined : join(HOME, '.docker'));
  if (directory !== undefined) return join(directory, 'config.json');
  throw new TbuildError('USAGE', 'Cannot keep credentials: neither HOME nor DOCKER_CONFIG is set');
}

/** Returns the key that Docker uses. */
function serverOf(registry: string): string {
  return registry === 'docker.io' ? DOCKER_HUB : registry;
}

function helperOf(config: Record<string, unknown>, registry: string): string | undefined {
  const own = Object.entries(recordOf(config.credHelpers)).find(([key]) => authKey(key) === registry)?.[1];
  const helper = own ?? config.credsStore;
  return typeof helper === 'string' && helper !== '' ? helper : undefined;
}

/** Returns the entries without any spelling of the registry. */
function without(auths: unknown, registry: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(recordOf(auths)).filter(([key]) => authKey(key) !== registry));
}

interface HelperCall {
  readonly helper: string;
  readonly action: 'store' | 'erase';
  readonly input: string;
}

async function askHelper({ helper, action, input }: HelperCall, env: Environment): Promise<void> {
  const program = `docker-credential-${helper}`;
  const { exitCode, output } = await runProgram([program, action], { input }, env);
  if (exitCode !== 0 && action === 'store')
    throw new TbuildError('PROCESS_FAILED', `${program} exited with code ${exitCode}: ${output.trim()}`);
}

function read(path: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (errnoName(cause) === 'ENOENT') return {};
    throw new TbuildError('USAGE', `Cannot read Docker's configuration ${JSON.stringify(path)}`, { cause });
  }
}

/**
 * Writes the file so that only its owner can read it. One that exists keeps its owner when root writes it, and a link leads to it
 * as before. In a user namespace, the owner may be one that has no number there.
 */
function write(path: string, config: object, { uid, inUserNamespace }: Environment): void {
  makeDirectory(dirname(path), { mode: 0o700 });
  const before = statSync(path, { throwIfNoEntry: false });
  const target = before === undefined ? path : realpathSync(path);
  const temporary = `${target}.${randomBytes(8).toString('hex')}`;
  // Never through a link: the directory may be that of another user than root.
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(config, null, '\t')}\n`);
    if (before !== undefined && uid === 0 && !inUserNamespace) fchownSync(file, before.uid, before.gid);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
