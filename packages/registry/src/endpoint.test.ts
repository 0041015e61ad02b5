import { expect, test } from 'vitest';
import { realClock } from '../test/client.ts';
import { createEndpoint } from './endpoint.ts';

const never = async (): Promise<never> => {
  throw new Error('No request is expected');
};

test.each([
  ['docker.io', 'https://registry-1.docker.io/'],
  ['ghcr.io', 'https://ghcr.io/'],
  ['gitlab.example:5050', 'https://gitlab.example:5050/'],
  ['gitlab.example:443', 'https://gitlab.example/'],
  ['10.0.0.1:5000', 'https://10.0.0.1:5000/'],
  ['localhost.example', 'https://localhost.example/'],
  ['[fd00::1]:5000', 'https://[fd00::1]:5000/'],
])('the registry %s has the address %s, which is not probed', async (registry, expected) => {
  const endpoint = createEndpoint(registry, { insecure: false, probe: never, clock: realClock });
  expect(endpoint.insecure).toBe(false);
  expect((await endpoint.base()).href).toBe(expected);
});

test.each([
  ['127.0.0.1:5000', false, ['http', 'https']],
  ['localhost:5000', false, ['http', 'https']],
  ['[::1]:5000', false, ['http', 'https']],
  ['localhost', false, ['https', 'http']],
  ['far.example:5000', true, ['https', 'http']],
])('the registry %s (insecure: %s) is probed with %j', async (registry, insecure, schemes) => {
  const asked: string[] = [];
  const probe = async ({ url }: { readonly url: URL }): Promise<never> => {
    asked.push(url.protocol.slice(0, -1));
    throw new Error('No answer');
  };
  await expect(createEndpoint(registry, { insecure, probe, clock: realClock }).base()).rejects.toThrow('No answer');
  expect(asked).toEqual(schemes);
});

test.each([
  ['docker.io', 'https://registry-1.docker.io/v2/', true],
  ['docker.io', 'https://production.cloudflare.docker.com/x', false],
  ['ghcr.io', 'https://ghcr.io:443/v2/', true],
  ['ghcr.io', 'https://ghcr.io:8443/v2/', false],
  ['ghcr.io', 'http://ghcr.io/v2/', false],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000/v2/', true],
  ['ghcr.io', 'https://ghcr.io.evil.example/', false],
])('the registry %s owns the URL %s: %s', (registry, url, expected) => {
  const endpoint = createEndpoint(registry, { insecure: false, probe: never, clock: realClock });
  expect(endpoint.owns(new URL(url))).toBe(expected);
});
