import { describe, expect, test } from 'vitest';
import { loadBaseImage, pushBaseImage } from './base-images.ts';
import { docker } from './docker.ts';
import { containersTools, skopeo } from './peers.ts';
import { startRegistry } from './registry.ts';
import { needs } from './requirements.ts';
import { sharedService } from './services.ts';

describe('docker-registry', needs('registry'), () => {
  test('holds a base image of two platforms', async () => {
    const reference = await pushBaseImage('busybox', await sharedService('registry'));
    const index = JSON.parse(await skopeo(['inspect', '--tls-verify=false', '--raw', `docker://${reference}`]));
    expect(index.manifests).toHaveLength(2);
  });

  test('requires a password, over TLS', async () => {
    await using registry = await startRegistry({ auth: { username: 'u', password: 'p' }, tls: true });
    const reference = `docker://${await pushBaseImage('busybox', registry.host, 'u:p')}`;
    await skopeo(['inspect', '--tls-verify=false', '--creds', 'u:p', reference]);
    await expect(skopeo(['inspect', '--tls-verify=false', '--creds', 'u:q', reference])).rejects.toThrow(
      /authentication required/,
    );
  });
});

test('Docker runs a base image', needs('docker'), async () => {
  const host = await sharedService('docker');
  await loadBaseImage('busybox', host);
  expect(await docker(host, ['run', '--rm', '--network', 'none', 'busybox', 'echo', 'runs'])).toBe('runs\n');
});

test('Podman runs a base image', needs('podman'), async () => {
  const { podman } = containersTools();
  const image = await pushBaseImage('busybox', await sharedService('registry'));
  await podman(['pull', '--quiet', '--tls-verify=false', image]);
  expect(await podman(['run', '--rm', '--network', 'none', image, 'echo', 'runs'])).toBe('runs\n');
});
