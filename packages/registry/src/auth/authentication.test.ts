import { copyImage, createMemoryStore } from '@tbuild/content';
import { parseReference } from '@tbuild/oci';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRegistry, type Registry } from '../../../../test/support/registry.ts';
import { needs } from '../../../../test/support/requirements.ts';
import {
  refreshToken,
  startTokenRegistry,
  tokenUser,
  type TokenRegistry,
} from '../../../../test/support/token-registry.ts';
import { listen } from '../../../../test/support/web-server.ts';
import { createTestClient, makeImage } from '../../test/client.ts';
import type { Credential } from '../index.ts';

const auth = { username: 'bob', password: 'pass word' };

describe('with user and password', needs('registry'), () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry({ auth });
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const open = (credential?: Credential) =>
    createTestClient({ credentials: async () => credential }).openRepository(
      parseReference(`${registry.host}/team/app:1`),
    );

  test('a registry accepts a push and a pull', async () => {
    const { store, index } = await makeImage(2_000_000);
    const repository = open({ kind: 'password', ...auth });
    await copyImage(index, { from: store, to: repository });
    await repository.tag(index, '1');
    await copyImage(await repository.resolve('1'), {
      from: open({ kind: 'password', ...auth }),
      to: createMemoryStore(),
    });
  });

  test.each([
    ['none', undefined],
    ['a wrong password', { kind: 'password', username: auth.username, password: 'wrong' }],
  ] as const)('%s is told with what to do, and without the password', async (_, credential) => {
    const error = await open(credential)
      .resolve('1')
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
      codes: ['UNAUTHORIZED'],
      message: `Pull access denied, repository does not exist or may require authorization (401 UNAUTHORIZED for ${registry.host}/team/app)`,
      hint: `Check the name, and log in with "tbuild login ${registry.host}" if the repository is private`,
    });
    expect(JSON.stringify(error)).not.toContain('wrong');
  });
});

describe('with tokens', needs('registry'), () => {
  let registry: TokenRegistry;
  beforeAll(async () => {
    registry = await startTokenRegistry();
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  beforeEach(() => {
    registry.queries.length = 0;
  });
  const client = (credential?: Credential) => createTestClient({ credentials: async () => credential });
  const alice: Credential = { kind: 'password', ...tokenUser };

  test('a pull needs one token and a push needs two', async () => {
    const { store, index } = await makeImage();
    const repository = client(alice).openRepository(parseReference(`${registry.host}/public/app`));
    await copyImage(index, { from: store, to: repository });
    await repository.tag(index, '1');
    expect(registry.queries).toEqual([
      { method: 'GET', scopes: ['repository:public/app:pull'], as: 'alice' },
      { method: 'GET', scopes: ['repository:public/app:pull,push'], as: 'alice' },
    ]);
    registry.queries.length = 0;
    const anonymous = client().openRepository(parseReference(`${registry.host}/public/app`));
    await copyImage(await anonymous.resolve('1'), { from: anonymous, to: createMemoryStore() });
    expect(registry.queries).toEqual([{ method: 'GET', scopes: ['repository:public/app:pull'], as: 'anonymous' }]);
  });

  test('a repository opened to push needs one token', async () => {
    const { store, index } = await makeImage();
    const repository = client(alice).openRepository(parseReference(`${registry.host}/private/one`), 'push');
    await copyImage(index, { from: store, to: repository });
    expect(registry.queries).toEqual([{ method: 'GET', scopes: ['repository:private/one:pull,push'], as: 'alice' }]);
  });

  test('a refresh token is exchanged for access tokens', async () => {
    const { store, index } = await makeImage(1_500_000);
    const repository = client({ kind: 'identity-token', token: refreshToken }).openRepository(
      parseReference(`${registry.host}/private/app`),
    );
    await copyImage(index, { from: store, to: repository });
    expect(new Set(registry.queries.map(({ method, as }) => `${method} ${as}`))).toEqual(new Set(['POST refresh']));
  });

  test('a mount requests access to both repositories', async () => {
    const {
      store,
      index,
      layers: [layer = index],
    } = await makeImage();
    const own = client(alice);
    await copyImage(index, { from: store, to: own.openRepository(parseReference(`${registry.host}/private/from`)) });
    const to = own.openRepository(parseReference(`${registry.host}/private/to`));
    expect(await to.mount(layer.digest, 'private/from')).toBe(true);
    expect(await to.has({ digest: layer.digest })).toBe(true);
  });

  test('a private repository and a refusal of the token server are reported', async () => {
    const reference = parseReference(`${registry.host}/private/app`);
    await expect(client().openRepository(reference).resolve('1')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
    });
    const wrong = client({ kind: 'password', username: 'alice', password: 'wrong' });
    await expect(wrong.openRepository(reference).resolve('1')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      status: 401,
      codes: ['UNAUTHORIZED'],
    });
  });
});

test('a token that no header can carry is reported', async () => {
  await using registry = await listen((request, response) => {
    if (request.url?.startsWith('/token') === true) return void response.end('{"token":"a\\nb"}');
    const realm = `http://${request.headers.host}/token`;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
  });
  const { host } = new URL(registry.url);
  await using client = createTestClient();
  await expect(client.openRepository(parseReference(`${host}/app`)).resolve('1')).rejects.toMatchObject({
    code: 'REGISTRY',
    message: `Token server ${host} sent a token that is not valid`,
  });
});
