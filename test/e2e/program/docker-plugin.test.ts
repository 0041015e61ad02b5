import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseImage, loadBaseImage } from '../../support/base-images.ts';
import { docker } from '../../support/docker.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked, runProcess } from '../../support/run-process.ts';
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

  test('builds as the devcontainers CLI does: a Dockerfile with features, then the user of the machine', async () => {
    expect(await run('buildx', 'version')).toMatch(version);
    const features = writeFiles({
      'Dockerfile-with-features': `# syntax=docker/dockerfile:1.4
ARG _DEV_CONTAINERS_BASE_IMAGE=placeholder
FROM busybox AS dev_container_auto_added_stage_label
ARG VARIANT
RUN echo "$VARIANT" > /variant
FROM $_DEV_CONTAINERS_BASE_IMAGE AS dev_containers_target_stage
USER root
RUN --mount=type=bind,from=dev_containers_feature_content_source,source=tool_0,target=/tmp/build-features-src/tool_0 \\
  sh /tmp/build-features-src/tool_0/install.sh
ARG _DEV_CONTAINERS_IMAGE_USER=root
USER $_DEV_CONTAINERS_IMAGE_USER
LABEL devcontainer.metadata='[{"id":"tool"}]'
`,
      'tool_0/install.sh': 'echo installed > /tool\n',
    });
    const context = writeFiles({ 'devcontainer.json': '{}' });
    const name = 'vsc-app-3b94d8b9-features';
    // prettier-ignore
    await run('buildx', 'build', '--load', '--build-arg', 'BUILDKIT_INLINE_CACHE=1', '-f', join(features, 'Dockerfile-with-features'), '-t', name, '--target', 'dev_containers_target_stage', '--build-arg', 'VARIANT=one', '--build-context', `dev_containers_feature_content_source=${features}`, '--build-arg', '_DEV_CONTAINERS_BASE_IMAGE=dev_container_auto_added_stage_label', '--build-arg', '_DEV_CONTAINERS_IMAGE_USER=root', '--build-arg', '_DEV_CONTAINERS_FEATURE_CONTENT_SOURCE=dev_container_feature_content_temp', base, context);
    expect(await run('run', '--rm', name, 'cat', '/variant', '/tool')).toBe('one\ninstalled\n');
    expect(await run('inspect', '--format', '{{json .Config.Labels}}', name)).toContain('devcontainer.metadata');
    const uid = writeFiles({
      'updateUID.Dockerfile': 'ARG BASE_IMAGE\nFROM $BASE_IMAGE\nARG NEW_UID\nRUN echo $NEW_UID > /uid\n',
    });
    // prettier-ignore
    await run('build', '-f', join(uid, 'updateUID.Dockerfile'), '-t', `${name}-uid`, '--build-arg', `BASE_IMAGE=${name}`, '--build-arg', 'NEW_UID=1000', writeFiles({ '.keep': '' }));
    expect(await run('run', '--rm', `${name}-uid`, 'cat', '/tool', '/uid')).toBe('installed\n1000\n');
  });

  test('FROM takes the image that the engine has under a name now', async () => {
    const context = writeFiles({ Dockerfile: 'FROM engine-base:1\nRUN cat /made > /copy\n' });
    for (const made of ['first', 'second']) {
      const below = writeFiles({ Dockerfile: 'FROM busybox\nARG A\nRUN echo "$A" > /made\n' });
      await run('build', base, '--build-arg', `A=${made}`, '-t', 'engine-base:1', below);
      await run('build', '-t', 'engine-above:1', context);
      expect(await run('run', '--rm', 'engine-above:1', 'cat', '/copy')).toBe(`${made}\n`);
    }
  });

  test('builds as Testcontainers does, and as Compose does for it', async () => {
    const context = writeFiles({ 'app/Dockerfile': 'FROM busybox AS app\nARG A\nRUN echo "$A" > /made\n' });
    const label = 'org.testcontainers.resource-reaper-session=1';
    // prettier-ignore
    await run('buildx', 'build', '--load', '--file', join(context, 'app/Dockerfile'), '--tag', 'localhost/testcontainers/app:1', '--label', label, '--build-arg', 'A=1', '--target', 'app', '--pull', base, context);
    expect(await run('images', '-q', '--filter', `label=${label}`)).toMatch(/^[0-9a-f]{12}\n$/);
    const definition = {
      group: { default: { targets: ['web'] } },
      target: {
        web: {
          context: join(context, 'app'),
          dockerfile: join(context, 'app/Dockerfile'),
          contexts: { busybox: `oci-layout://${baseImage('busybox')}` },
          args: { A: '2' },
          tags: ['compose-web'],
          output: ['type=docker'],
        },
      },
    };
    const file = join(scratchDirectory('metadata'), 'compose-build-metadataFile.json');
    const plugin = join(config, 'cli-plugins/docker-buildx');
    expect(JSON.parse(await runChecked(plugin, ['docker-cli-plugin-metadata'])).Version).toMatch(/^v0\.36\.0/);
    const args = ['--file', '-', '--progress', 'rawjson', '--metadata-file', file, '--allow', `fs.read=${context}`];
    const options = { env: { ...env, DOCKER_HOST: host }, input: JSON.stringify(definition) };
    const { stderr } = good(await runProcess(plugin, ['bake', ...args, '--allow', 'fs.read=*'], options));
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toBeTypeOf('object');
    expect(JSON.parse(readFileSync(file, 'utf8')).web).toMatchObject({
      'containerimage.digest': expect.stringMatching(/^sha256:/),
      'image.name': 'docker.io/library/compose-web:latest',
    });
    expect(await run('run', '--rm', 'compose-web', 'cat', '/made')).toBe('2\n');
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
