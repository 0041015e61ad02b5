import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Auths = Record<string, unknown>;

/**
 * Returns Docker's credentials with those of its helpers, which run only here: programs that speak with the keychain.
 * What cannot be read is left out, since most commands need none.
 */
export function readCredentials(variables: Readonly<Record<string, string | undefined>>, home: string): Auths {
  const config = readConfig(join(variables['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json'));
  const { credsStore } = config;
  const stored = typeof credsStore === 'string' && credsStore !== '' ? storedIn(credsStore) : {};
  const own = Object.entries(recordOf(config['credHelpers'])).flatMap(([server, helper]) =>
    typeof helper === 'string' ? entryOf(server, helper) : [],
  );
  return { ...recordOf(config['auths']), ...stored, ...Object.fromEntries(own) };
}

function readConfig(file: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** Asks a helper for all that it has. */
function storedIn(helper: string): Auths {
  const servers = Object.keys(ask(helper, 'list', ''));
  return Object.fromEntries(servers.flatMap((server) => entryOf(server, helper)));
}

function entryOf(server: string, helper: string): [string, object][] {
  const { Username: username, Secret: secret } = ask(helper, 'get', server);
  if (typeof username !== 'string' || typeof secret !== 'string') return [];
  if (username === '<token>') return [[server, { identitytoken: secret }]];
  return [[server, { auth: Buffer.from(`${username}:${secret}`).toString('base64') }]];
}

/** A helper may ask its user, for at most this long. */
const HELPER_TIME = 60_000;

function ask(helper: string, action: string, input: string): Record<string, unknown> {
  const { status, stdout } = spawnSync(`docker-credential-${helper}`, [action], {
    input,
    encoding: 'utf8',
    timeout: HELPER_TIME,
  });
  if (status !== 0) return {};
  try {
    return recordOf(JSON.parse(stdout));
  } catch {
    return {};
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
