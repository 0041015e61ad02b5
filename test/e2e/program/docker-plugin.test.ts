import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseImage, loadBaseImage } from '../../support/base-images.ts';
import { docker } from '../../support/docker.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const version = 'github.com/docker/buildx v0.36.0 tbuild-';

describe('docker, with tbuild in the place of buildx,', needs('docker'), () => {
  const config = scratchDirectory('docker-config');
  const env = {
    DOCKER_CONFIG: config,
    TBUILD_ROOT: scratchDirectory('store'),
    XDG_CACHE_HOME: scratchDirectory('cache'),
  };
  let host: string;
  beforeAll(async () => {
    if (needs('docker').skip === true) return;
    host = await sharedService('docker');
    await loadBaseImage('busybox', host);
    good(await runTbuild(['install', '--as-buildx', '--docker-plugin'], { env }));
  });
  const run = (...args: string[]) => docker(host, args, { env });
  const base = `--build-context=busybox=oci-layout://${baseImage('busybox')}`;

  test('builds an image that docker run finds', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nARG A\nRUN echo "$A" > /made\n' });
    await run('build', base, '--build-arg', 'A=by tbuild', '-t', 'plugin:1', context);
    expect(await run('run', '--rm', 'plugin:1', 'cat', '/made')).toBe('by tbuild\n');
    expect(await runTbuild(['images', '-q', 'plugin:1'], { env }).then(({ stdout }) => stdout)).toBe('');
  });

  test('prints the image ID alone with -q, as scripts expect', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    expect(await run('build', '-q', context)).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });

  test('answers the commands of the devcontainers CLI', async () => {
    expect(await run('buildx', 'version')).toMatch(version);
    const context = writeFiles({ 'Dockerfile-with-features': 'FROM busybox AS base\nRUN echo 1 > /one\nFROM base\n' });
    // prettier-ignore
    await run('buildx', 'build', '--load', base, '--build-arg', 'BUILDKIT_INLINE_CACHE=1', '-f', join(context, 'Dockerfile-with-features'), '-t', 'vsc-app', '--target', 'base', context);
    expect(await run('run', '--rm', 'vsc-app', 'cat', '/one')).toBe('1\n');
  });

  test('says that there is one builder, and changes none', async () => {
    expect(await run('buildx', 'ls')).toContain('default*');
    expect(await run('buildx', 'inspect', '--bootstrap')).toContain('Platforms:        linux/');
    expect(await run('buildx', 'create', '--use')).toMatch(/^\w+\n?$/);
    await run('buildx', 'du');
    await run('buildx', 'prune', '--all');
  });

  test('bakes', async () => {
    const context = writeFiles({
      Dockerfile: 'FROM busybox\nRUN echo baked > /made\n',
      'docker-bake.hcl': `target "default" {
        contexts = { busybox = "oci-layout://${baseImage('busybox')}" }
        tags = ["plugin-bake:1"]
      }`,
    });
    await docker(host, ['buildx', 'bake', '--allow', 'fs.read=*'], { env, cwd: context });
    expect(await run('run', '--rm', 'plugin-bake:1', 'cat', '/made')).toBe('baked\n');
  });

  test('is a plug-in of its own too', async () => {
    expect(await run('tbuild', 'images')).toContain('REPOSITORY');
  });
});

test('what was there before comes back', async () => {
  const config = scratchDirectory('docker-config');
  const own = join(config, 'cli-plugins/docker-buildx');
  mkdirSync(join(config, 'cli-plugins'));
  writeFileSync(own, '#!/bin/sh\necho the real one\n');
  chmodSync(own, 0o755);
  const env = { DOCKER_CONFIG: config };
  for (let count = 0; count < 2; count++) good(await runTbuild(['install', '--as-buildx'], { env }));
  expect(readFileSync(own, 'utf8')).toContain('__docker buildx');
  good(await runTbuild(['install', '--uninstall'], { env }));
  expect(readFileSync(own, 'utf8')).toContain('the real one');
  const again = good(await runTbuild(['install', '--uninstall'], { env }));
  expect(again.stdout).toBe('Nothing was installed\n');
  expect(existsSync(join(config, 'cli-plugins/docker-tbuild'))).toBe(false);
});
