import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild } from '../../support/tbuild.ts';
import { refreshToken, startTokenRegistry, tokenUser } from '../../support/token-registry.ts';

const auth = { username: 'someone', password: 's3cret' };
const encoded = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');

describe('credentials', needs('registry'), () => {
  let registry: Registry;
  let base: string;
  beforeAll(async () => {
    registry = await startRegistry({ auth });
    base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const homeWith = (config: object): string => {
    const home = scratchDirectory('home');
    mkdirSync(join(home, '.docker'));
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config));
    return home;
  };
  const pull = (env: Record<string, string>, image = base) =>
    runTbuild(['pull', image], { store: scratchDirectory('store'), env: { HOME: scratchDirectory('home'), ...env } });
  /** A directory with `docker-credential-test`, for PATH. */
  const helper = (script: string): string => {
    const directory = scratchDirectory('bin');
    writeFileSync(join(directory, 'docker-credential-test'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${directory}:${process.env['PATH']}`;
  };
  const answer = JSON.stringify({ ServerURL: 'x', Username: auth.username, Secret: auth.password });

  test.each([
    ['credsStore', () => ({ credsStore: 'test' })],
    ['credHelpers', () => ({ credsStore: 'missing', credHelpers: { [registry.host]: 'test' } })],
  ])('come from the program that %s names', async (_, config) => {
    const PATH = helper(`read server; [ "$1 $server" = "get ${registry.host}" ] && echo '${answer}'`);
    good(await pull({ HOME: homeWith(config()), PATH }));
  });

  test('that a helper lacks come from the file, or are absent', async () => {
    const PATH = helper('echo "credentials not found in native keychain"; exit 1');
    good(await pull({ HOME: homeWith({ credsStore: 'test', auths: { [registry.host]: { auth: encoded } } }), PATH }));
    const { exitCode, stderr } = await pull({ HOME: homeWith({ credsStore: 'test' }), PATH });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('may require authorization (401');
    expect(stderr).toContain(`tbuild login ${registry.host}`);
  });

  test('that a helper fails to return cause an error with its message; so does a missing helper', async () => {
    const failing = await pull({
      HOME: homeWith({ credsStore: 'test' }),
      PATH: helper('echo "session has expired: run aws sso login"; exit 1'),
    });
    expect(failing.exitCode).toBe(1);
    expect(failing.stderr).toContain(`failed for ${registry.host}: session has expired: run aws sso login`);
    const HOME = homeWith({ credsStore: 'nowhere' });
    const missing = await pull({ HOME });
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('"docker-credential-nowhere" cannot be run');
    expect(missing.stderr).toContain(join(HOME, '.docker/config.json'));
  });

  test('are stored and erased by the helper, and found by the next command', async () => {
    const HOME = homeWith({ credsStore: 'test' });
    const keychain = join(scratchDirectory('keychain'), 'entry');
    const PATH = helper(
      `case $1 in store) cat > ${keychain};; erase) read server; echo "$server" > ${keychain}.erased; rm ${keychain};;\n` +
        `get) cat ${keychain} 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; };; esac`,
    );
    const env = { HOME, PATH };
    const login = ['login', '-u', auth.username, '--password-stdin', `https://${registry.host}/v2/`];
    good(await runTbuild(login, { env, input: `${auth.password}\n` }));
    const kept = readFileSync(join(HOME, '.docker/config.json'), 'utf8');
    expect(kept).not.toContain(encoded);
    good(await pull(env));
    good(await runTbuild(['logout', registry.host], { env }));
    expect(readFileSync(`${keychain}.erased`, 'utf8')).toBe(`${registry.host}\n`);
    expect((await pull(env)).exitCode).toBe(1);
  });

  test('come from DOCKER_AUTH_CONFIG, else from DOCKER_CONFIG', async () => {
    const wrong = { auths: { [registry.host]: { auth: Buffer.from('a:wrong').toString('base64') } } };
    const right = { auths: { [registry.host]: { auth: encoded } } };
    const DOCKER_CONFIG = join(homeWith(wrong), '.docker');
    good(await pull({ DOCKER_CONFIG, DOCKER_AUTH_CONFIG: JSON.stringify(right) }));
    good(await pull({ DOCKER_CONFIG: join(homeWith(right), '.docker'), HOME: homeWith(wrong) }));
    expect((await pull({ DOCKER_CONFIG })).exitCode).toBe(1);
  });

  test('come from the auth file of Podman', async () => {
    const [HOME, XDG_RUNTIME_DIR] = [scratchDirectory('home'), scratchDirectory('runtime')];
    for (const place of [join(XDG_RUNTIME_DIR, 'containers'), join(HOME, '.config/containers')]) {
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'auth.json'), JSON.stringify({ auths: { [registry.host]: { auth: encoded } } }));
    }
    good(await pull({ XDG_RUNTIME_DIR }));
    good(await pull({ HOME }));
  });

  test('of a path take precedence over those of its registry', async () => {
    const path = base.slice(0, base.lastIndexOf(':')).replace(/@.*/, '');
    const wrong = { auth: Buffer.from('a:wrong').toString('base64') };
    good(await pull({ HOME: homeWith({ auths: { [registry.host]: wrong, [path]: { auth: encoded } } }) }));
  });

  test('of a GitLab job are its token for its registry and for the dependency proxy', async () => {
    const job = { CI_REGISTRY: registry.host, CI_REGISTRY_USER: auth.username, CI_JOB_TOKEN: auth.password };
    good(await pull(job));
    const { username, password } = auth;
    const proxy = {
      CI_DEPENDENCY_PROXY_SERVER: registry.host,
      CI_DEPENDENCY_PROXY_USER: username,
      CI_DEPENDENCY_PROXY_PASSWORD: password,
    };
    good(await pull(proxy));
  });

  test('for a token server are a password, or a refresh token from a helper', async () => {
    await using tokens = await startTokenRegistry();
    const images = `${tokens.host}/private/app:1`;
    const [HOME, store] = [scratchDirectory('home'), scratchDirectory('store')];
    const login = ['login', '-u', tokenUser.username, '--password-stdin', tokens.host];
    const refused = await runTbuild(login, { env: { HOME }, input: 'wrong' });
    expect(refused.exitCode).toBe(1);
    good(await runTbuild(login, { env: { HOME }, input: tokenUser.password }));
    good(
      await runTbuild(['pull', base], {
        store,
        env: { HOME: homeWith({ auths: { [registry.host]: { auth: encoded } } }) },
      }),
    );
    good(await runTbuild(['tag', base, images], { store, env: { HOME } }));
    good(await runTbuild(['push', images], { store, env: { HOME } }));
    const PATH = helper(`echo '${JSON.stringify({ Username: '<token>', Secret: refreshToken })}'`);
    good(await pull({ HOME: homeWith({ credHelpers: { [tokens.host]: 'test' } }), PATH }, images));
    expect(tokens.queries.at(-1)).toMatchObject({ method: 'POST', as: 'refresh' });
    expect((await pull({}, images)).exitCode).toBe(1);
  });
});
