import { TbuildError } from '@tbuild/errors';
import { recordOf } from '@tbuild/oci';
import type { Credential } from './credential.ts';

/** The credentials in Docker's `config.json` or podman's `auth.json`. The keys come from {@link authKey}. */
export interface AuthFile {
  readonly auths: ReadonlyMap<string, Credential>;
  /** The helper for each registry, by its name without `docker-credential-`. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for all other registries. */
  readonly store?: string;
}

/**
 * Parses the text of a configuration file. Messages call it `name`.
 * @throws TbuildError USAGE if it is not valid.
 */
export function parseAuthFile(text: string, name: string): AuthFile {
  const document = parseJson(text, name);
  const auths = Object.entries(recordOf(document.auths)).flatMap(([key, entry]) => {
    const credential = parseEntry(recordOf(entry), `${name}, entry ${JSON.stringify(key)}`);
    return credential === undefined ? [] : [[authKey(key), credential] as const];
  });
  const helpers = Object.entries(recordOf(document.credHelpers)).flatMap(([key, helper]) =>
    typeof helper === 'string' ? [[authKey(key), helper] as const] : [],
  );
  const store = typeof document.credsStore === 'string' && document.credsStore !== '' ? document.credsStore : undefined;
  return { auths: new Map(auths), helpers: new Map(helpers), store };
}

/** Normalises the key of a registry or repository: removes the scheme, the API path and the aliases of Docker Hub. */
export function authKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/v[12]$/, '');
  return bare.replace(/^(?:index|registry-1)\.docker\.io(?=\/|$)/, 'docker.io');
}

/** Returns the keys that may hold a repository's credentials, most specific first. */
export function authKeys(registry: string, repository: string): readonly string[] {
  const parts = repository.split('/');
  const paths = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  return [...paths.map((path) => `${registry}/${path}`), registry];
}

function parseEntry(entry: Readonly<Record<string, unknown>>, place: string): Credential | undefined {
  const { identitytoken, registrytoken, auth, username, password } = entry;
  if (isText(registrytoken)) return { kind: 'registry-token', token: registrytoken };
  if (isText(identitytoken)) return { kind: 'identity-token', token: identitytoken };
  if (isText(auth)) return decodeAuth(auth, place);
  return isText(username) && isText(password) ? { kind: 'password', username, password } : undefined;
}

function decodeAuth(auth: string, place: string): Credential {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon < 1) throw new TbuildError('USAGE', `"auth" in ${place} is not the base64 of USER:PASSWORD`);
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function parseJson(text: string, name: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(text));
  } catch (cause) {
    throw new TbuildError('USAGE', `Credentials in ${name} are not valid JSON`, { cause });
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
