import { readFileSync } from 'node:fs';
import { getOrMake } from '@tbuild/concurrency';
import { errnoName, hasCode, TbuildError } from '@tbuild/errors';
import { authKeys, parseAuthFile, type AuthFile } from './auth-file.ts';
import type { Credential, CredentialSource } from './credential.ts';

/** The number of characters of a helper's output in a message. */
const MOST_SAID = 300;

/** A configuration: a file, which may be missing, or a named text. */
export type CredentialFile = { readonly path: string } | { readonly name: string; readonly text: string };

/**
 * Runs a credential helper (`docker-credential-NAME`) in the user's environment, with `input` as standard
 * input.
 * @throws TbuildError CANCELLED after a timeout; any other error if the helper cannot be started.
 */
export type RunHelper = (
  program: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr?: string }>;

export interface CredentialOptions {
  /** The first one with a credential wins: `DOCKER_AUTH_CONFIG`, `~/.docker/config.json`, podman's `auth.json`. */
  readonly files: readonly CredentialFile[];
  readonly runHelper: RunHelper;
}

/**
 * Finds the credentials that Docker and podman have stored. Reads files and runs helpers when a registry first requires a
 * credential. The most specific key wins (`quay.io/team/app`, `quay.io/team`, `quay.io`).
 */
export function loadCredentials({ files, runHelper }: CredentialOptions): CredentialSource {
  let parsed: readonly NamedAuthFile[] | undefined;
  const found = new Map<string, Promise<Credential | undefined>>();
  return async (registry, repository) => {
    const known = (parsed ??= files.flatMap(open));
    return getOrMake(found, `${registry}/${repository}`, () => find(known, authKeys(registry, repository), runHelper));
  };
}

interface NamedAuthFile extends AuthFile {
  readonly name: string;
}

function open(file: CredentialFile): NamedAuthFile[] {
  const name = 'path' in file ? file.path : file.name;
  const text = 'path' in file ? readText(file.path) : file.text;
  return text === undefined || text.trim() === '' ? [] : [{ ...parseAuthFile(text, name), name }];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoName(error) ?? '')) return undefined;
    throw error;
  }
}

async function find(
  files: readonly NamedAuthFile[],
  keys: readonly string[],
  runHelper: RunHelper,
): Promise<Credential | undefined> {
  for (const file of files) {
    const credential = await findInFile(file, keys, runHelper);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

// Docker's order: the helper of the registry, the default helper, the file itself.
async function findInFile(
  file: NamedAuthFile,
  keys: readonly string[],
  runHelper: RunHelper,
): Promise<Credential | undefined> {
  const registry = keys.at(-1) ?? '';
  const asked = [
    ...keys.flatMap((key) => (file.helpers.has(key) ? [{ helper: file.helpers.get(key), key }] : [])),
    ...(file.store === undefined ? [] : [{ helper: file.store, key: registry }]),
  ];
  for (const { helper, key } of asked) {
    const credential = await askHelper(`docker-credential-${helper}`, key, { file: file.name, runHelper });
    if (credential !== undefined) return { ...credential, from: `docker-credential-${helper} (${file.name})` };
  }
  const key = keys.find((candidate) => file.auths.has(candidate));
  const credential = key === undefined ? undefined : file.auths.get(key);
  return credential && { ...credential, from: file.name };
}

async function askHelper(
  program: string,
  key: string,
  { file, runHelper }: { file: string; runHelper: RunHelper },
): Promise<Credential | undefined> {
  const server = key === 'docker.io' ? 'https://index.docker.io/v1/' : key;
  const helper = `Credential helper ${JSON.stringify(program)}`;
  const answer = await runHelper(program, ['get'], server).catch((cause) => {
    if (hasCode(cause, 'CANCELLED')) throw new TbuildError('UNAUTHORIZED', `${helper} does not answer`, { cause });
    const hint = `Install it, or remove it from ${file}`;
    throw new TbuildError('UNAUTHORIZED', `${helper} cannot be run`, { hint, cause });
  });
  if (answer.exitCode === 0) return parseAnswer(answer.stdout, program);
  // The protocol has one form for "none" and "failed": a status and a text. Only this text is standardised.
  const said = (answer.stdout.trim() || answer.stderr?.trim() || `exit code ${answer.exitCode}`).split('\n')[0] ?? '';
  if (/credentials not found/i.test(said)) return undefined;
  throw new TbuildError('UNAUTHORIZED', `${helper} failed for ${server}: ${said.slice(0, MOST_SAID)}`, {
    hint: `Check the credential helper in ${file}`,
  });
}

function parseAnswer(text: string, program: string): Credential | undefined {
  const { Username: username, Secret: secret } = parseObject(text, program);
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret };
}

function parseObject(text: string, program: string): { Username?: unknown; Secret?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch (cause) {
    throw new TbuildError('UNAUTHORIZED', `Credential helper ${JSON.stringify(program)} returned invalid JSON`, {
      cause,
    });
  }
}
