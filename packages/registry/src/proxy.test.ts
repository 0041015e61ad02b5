import { readFileSync } from 'node:fs';
import { copyImage, createMemoryStore } from '@tbuild/content';
import { parseReference } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../../test/support/daemon.ts';
import { startRegistry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { startWebProxy } from '../../../test/support/web-proxy.ts';
import { createFastClock, createTestClient, makeImage } from '../test/client.ts';
import type { RegistryClientOptions } from './index.ts';

const proxyUser = { username: 'proxy user', password: 'p:w@d' };
const withUser = (url: string): string =>
  url.replace('//', `//${encodeURIComponent(proxyUser.username)}:${encodeURIComponent(proxyUser.password)}@`);

describe('behind a proxy', needs('registry'), () => {
  const resolve = async (name: string, options: Partial<RegistryClientOptions>) => {
    await using client = createTestClient(options);
    return await client.openRepository(parseReference(name)).resolve('1');
  };

  test('a registry with TLS is reached by CONNECT, and the proxy sees no contents', async () => {
    const auth = { username: 'someone', password: 's3cret' };
    await using registry = await startRegistry({ tls: true, auth, names: ['registry.invalid'] });
    await using proxy = await startWebProxy({
      route: (target) => (target === 'registry.invalid:443' ? registry.host : undefined),
      auth: proxyUser,
      onlyPort: 443,
    });
    await using client = createTestClient({
      ca: () => readFileSync(registry.certificate ?? '', 'utf8'),
      credentials: async () => ({ kind: 'password', ...auth }),
      proxy: { https: withUser(proxy.url) },
    });
    const { store, index } = await makeImage(2_000_000);
    const repository = client.openRepository(parseReference('registry.invalid/app'));
    await copyImage(index, { from: store, to: repository });
    await copyImage(index, { from: repository, to: createMemoryStore() });
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT registry.invalid:443']));
    expect(proxy.overheard).toEqual([]);
  });

  test('the proxy forwards requests for a registry without TLS, since it may allow CONNECT to port 443 only', async () => {
    await using registry = await startRegistry();
    await using proxy = await startWebProxy({
      route: (target) => (target === 'far.invalid:5000' ? registry.host : undefined),
      auth: proxyUser,
      onlyPort: 443,
    });
    const url = withUser(proxy.url);
    await using client = createTestClient({ insecure: () => true, proxy: { http: url, https: url } });
    const { store, index } = await makeImage(2_000_000);
    const repository = client.openRepository(parseReference('far.invalid:5000/app'));
    await copyImage(index, { from: store, to: repository });
    await copyImage(index, { from: repository, to: createMemoryStore() });
    expect(proxy.asked).toContain('GET http://far.invalid:5000/v2/');
  });

  test('loopback addresses and those in NO_PROXY are reached directly', async () => {
    await using registry = await startRegistry();
    await using proxy = await startWebProxy({ route: () => undefined });
    const options = { proxy: { http: proxy.url, https: proxy.url, none: 'direct.invalid' } };
    await expect(resolve(`${registry.host}/app`, options)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(resolve('direct.invalid/app', options)).rejects.toMatchObject({
      message: 'Registry direct.invalid has no address: no such host',
    });
    expect(proxy.asked).toEqual([]);
  });

  test.each([
    ['no user', (url: string) => url, /Add a user if the proxy requires one/],
    ['a wrong user', (url: string) => url.replace('//', '//other:wrong@'), /Check the user and password/],
    ['a percent sign of a user', (url: string) => url.replace('//', '//100%:wrong@'), /Check the user and password/],
  ])('that wants a user: %s', async (_, urlOf, hint) => {
    await using proxy = await startWebProxy({ route: () => undefined, auth: proxyUser });
    const { host } = new URL(proxy.url);
    const url = urlOf(proxy.url);
    const options = { proxy: { http: url, https: url }, insecure: (registry: string) => registry === 'clear.invalid' };
    for (const name of ['tls.invalid', 'clear.invalid'])
      await expect(resolve(`${name}/app`, options)).rejects.toMatchObject({
        code: 'REGISTRY',
        message: `Proxy ${host} refuses to connect to ${name}`,
        hint: expect.stringMatching(hint),
      });
    expect(proxy.asked.length).toBeLessThan(6);
  });

  test('a missing proxy is reported as a failure of the proxy, not of the registry', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const clock = createFastClock();
    await expect(resolve('tls.invalid/app', { proxy: { https: host }, clock })).rejects.toMatchObject({
      message: `Proxy ${host} cannot be reached: connection refused`,
      hint: expect.stringContaining('NO_PROXY'),
    });
    expect(clock.slept).toEqual([250, 500]);
  });
});
