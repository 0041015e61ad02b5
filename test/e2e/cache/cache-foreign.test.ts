import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { docker, startDocker } from '../../support/docker.ts';
import { patiently } from '../../support/patience.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';

const files = { Dockerfile: 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /id\n' };

test.each([
  ['gha', ['--cache-from', 'type=gha', '--cache-to', 'type=gha,scope=main']],
  ['floppy', ['--cache-from', 'type=floppy,mode=max']],
])('a cache of type %s is warned of once, and the build goes on without it', async (name, args) => {
  const build = await buildGood(files, { args });
  expect(build.stderr.split(`Caches of type ${name} are not supported`)).toHaveLength(2);
});

test('a misspelt type of --cache-to is a mistake, as in Docker', async () => {
  const build = await buildInline(files, { args: ['--cache-to', 'type=regsitry,ref=a/b'] });
  expect(build.exitCode).toBe(2);
  expect(build.stderr).toContain('Did you mean type=registry?');
});

test('an option that a known type of cache lacks is still a mistake of the command line', async () => {
  const build = await buildInline(files, { args: ['--cache-to', 'type=s3,bucket=b-1,region=r,reggion=x'] });
  expect(build.exitCode).toBe(2);
  expect(build.stderr).toContain('Did you mean region=?');
});

test(
  'registry.insecure reads and writes the cache of a registry without a known certificate',
  needs('registry'),
  async () => {
    await using registry = await startRegistry({ tls: true });
    // The name does not count as loopback, so certificates are checked.
    const ref = `${registry.host.replace('127.0.0.1', '127.1')}/cache:1`;
    const strict = await buildInline(files, { args: ['--cache-to', `type=registry,ref=${ref}`] });
    expect(strict.exitCode).toBe(1);
    expect(strict.stderr).toContain('certificate signed by unknown authority');
    const store = () => scratchDirectory('store');
    const cache = `type=registry,ref=${ref},registry.insecure=true`;
    const first = await buildGood(files, { store: store(), args: ['--cache-to', cache] });
    const next = await buildGood(files, { store: store(), args: ['--cache-from', cache] });
    expect(ranIn(next.stderr)).toEqual([]);
    expect(next.id()).toBe(first.id());
  },
);

describe('a cache that BuildKit wrote', needs('docker', 'registry'), () => {
  test('is recognised in a registry, an image and a directory, and the build goes on', async () => {
    await using daemon = await startDocker(scratchDirectory('docker'), { hasContainerdStore: true });
    await using registry = await startRegistry();
    const context = scratchDirectory('context');
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY f /f\n');
    writeFileSync(join(context, 'f'), 'f\n');
    const { host } = registry;
    const directory = join(scratchDirectory('cache'), 'buildkit');
    const export_ = (...args: string[]) =>
      vi.waitFor(() => docker(daemon.host, ['buildx', 'build', ...args, context]), patiently);
    await export_('--cache-to', `type=registry,ref=${host}/cache:index,image-manifest=false`);
    await export_('--cache-to', `type=registry,ref=${host}/cache:manifest,image-manifest=true,oci-mediatypes=true`);
    await export_('--cache-to', `type=local,dest=${directory}`);
    await export_('--cache-to', 'type=inline', '--tag', `${host}/app:inline`, '--push');
    const seed = (ref: string) => `--cache-to type=registry,ref=${host}/${ref},mode=max writes one that it can`;
    const places = [
      [`${host}/cache:index`, seed('cache:index')],
      [`${host}/cache:manifest`, seed('cache:manifest')],
      [`${host}/app:inline`, seed('app:inline')],
      [`type=local,src=${directory}`, `--cache-to type=local,dest=${directory},mode=max writes one`],
    ];
    const args = places.flatMap(([place = '']) => ['--cache-from', place]);
    const build = await buildGood(files, { args });
    const lines = build.stderr.split('\n').filter((line) => line.includes('is ignored: BuildKit made it'));
    expect(lines).toHaveLength(places.length);
    for (const [place = '', advice = ''] of places) {
      const name = place.replace('type=local,src=', '');
      expect(lines.filter((line) => line.includes(name) && line.includes(advice))).toHaveLength(1);
    }
  });
});
