import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseImage, loadBaseImage, pushBaseImage } from '../../support/base-images.ts';
import { startDaemon } from '../../support/daemon.ts';
import { docker, startDocker, type Docker } from '../../support/docker.ts';
import { startEngineProxy } from '../../support/engine-proxy.ts';
import { containersTools } from '../../support/peers.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, good, runTbuild, writeFiles, type InlineBuildOptions } from '../../support/tbuild.ts';

const Dockerfile = 'FROM my-base\nRUN cat /mine > /copy\n';
/** Builds without the base images of the fixtures, in a store of its own unless one is given. */
const options = (more: InlineBuildOptions): InlineBuildOptions => ({ images: [], ...more });

/** Makes `my-base` in Docker alone, as a user does who commits a container. */
async function commitBase(host: string): Promise<void> {
  await loadBaseImage('busybox', host);
  await docker(host, ['run', '--network', 'none', '--name', 'mine', 'busybox', 'sh', '-c', 'echo mine > /mine']);
  await docker(host, ['commit', 'mine', 'my-base']);
  await docker(host, ['rm', 'mine']);
}

describe.each([
  { store: "Docker's own", hasContainerdStore: false },
  { store: "containerd's", hasContainerdStore: true },
])('an image that only a Docker with $store store has', needs('docker'), ({ hasContainerdStore }) => {
  let engine: Docker;
  beforeAll(async () => {
    engine = await startDocker(scratchDirectory('docker'), { hasContainerdStore });
    await commitBase(engine.host);
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('is found by its name, and its layers are streamed once', async () => {
    await using proxy = await startEngineProxy(engine.host);
    const store = scratchDirectory('store');
    const env = { DOCKER_HOST: proxy.host };
    const first = await buildGood({ Dockerfile }, options({ store, env }));
    expect(first.tree().readText('/copy')).toBe('mine\n');
    expect(proxy.requests()).toEqual([
      'GET /images/my-base:latest/json',
      expect.stringMatching(/^GET \/images\/sha256:.*\/get$/),
    ]);

    const second = await buildGood({ Dockerfile }, options({ store, env }));
    expect(second.id()).toBe(first.id());
    expect(proxy.requests()).toEqual(['GET /images/my-base:latest/json']);
  });

  test('is taken as it is now when its name has moved', async () => {
    const store = scratchDirectory('store');
    const env = { DOCKER_HOST: engine.host };
    const moving = { Dockerfile: 'FROM moving\nRUN cat /version > /copy\n' };
    for (const version of ['one', 'two']) {
      await docker(engine.host, [
        'run',
        '--network',
        'none',
        '--name',
        'version',
        'my-base',
        'sh',
        '-c',
        `echo ${version} > /version`,
      ]);
      await docker(engine.host, ['commit', 'version', 'moving']);
      await docker(engine.host, ['rm', 'version']);
      const build = await buildGood(moving, options({ store, env }));
      expect(build.tree().readText('/copy')).toBe(`${version}\n`);
    }
  });

  test('is named when no registry has the platform of the build', async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/mine`;
    await docker(engine.host, ['tag', 'my-base', name]);
    const args = ['--platform', 'linux/s390x'];
    for (const more of [[], ['--pull=never']]) {
      const build = await buildInline(
        { Dockerfile: `FROM ${name}\n` },
        options({ env: { DOCKER_HOST: engine.host }, args: [...args, ...more] }),
      );
      expect(build.exitCode).toBe(1);
      expect(build.stderr).toContain(
        `hint: Pull or load it for linux/s390x into Docker at ${engine.host}, which has it for linux/amd64`,
      );
    }
  });

  test.each(['docker-daemon://my-base', 'docker-daemon:my-base:latest'])('is a context named %s', async (source) => {
    const files = { Dockerfile: 'FROM base\nCOPY --from=base /mine /copy\n' };
    const args = ['--build-context', `base=${source}`];
    const build = await buildGood(
      files,
      options({ args, store: scratchDirectory('store'), env: { DOCKER_HOST: engine.host } }),
    );
    expect(build.tree().readText('/copy')).toBe('mine\n');
  });

  test('is the base of FROM docker-daemon://NAME, without a warning', async () => {
    const files = { Dockerfile: 'FROM docker-daemon://my-base\nCOPY --from=docker-daemon:my-base /mine /copy\n' };
    const build = await buildGood(
      files,
      options({ store: scratchDirectory('store'), env: { DOCKER_HOST: engine.host } }),
    );
    expect(build.tree().readText('/copy')).toBe('mine\n');
    expect(build.stderr).not.toMatch(/warning/);
  });

  test('is not looked for with --pull, and a digest never is', async () => {
    await using proxy = await startEngineProxy(engine.host);
    const env = { DOCKER_HOST: proxy.host };
    const digest = `sha256:${'0'.repeat(64)}`;
    const store = scratchDirectory('store');
    const named = { Dockerfile: 'FROM 127.0.0.1:1/my-base\n' };
    const pulled = await buildInline(named, options({ args: ['--pull'], store, env }));
    const exact = await buildInline({ Dockerfile: `FROM 127.0.0.1:1/my-base@${digest}\n` }, options({ store, env }));
    expect([pulled.exitCode, exact.exitCode]).toEqual([1, 1]);
    expect(proxy.requests()).toEqual([]);
  });

  test('is used with --pull=never, which asks no registry', async () => {
    const env = { DOCKER_HOST: engine.host };
    const args = ['--pull=never'];
    await buildGood({ Dockerfile }, options({ args, store: scratchDirectory('store'), env }));
  });

  test('is denied by a source policy', async () => {
    const policy = join(
      writeFiles({
        policy: JSON.stringify({
          version: 1,
          rules: [{ action: 'DENY', selector: { identifier: 'docker-daemon://*' } }],
        }),
      }),
      'policy',
    );
    const files = { Dockerfile: 'FROM docker-daemon://my-base\n' };
    const args = ['--source-policy-file', policy];
    const denied = await buildInline(
      files,
      options({ args, store: scratchDirectory('store'), env: { DOCKER_HOST: engine.host } }),
    );
    expect(denied.exitCode).toBe(1);
    expect(denied.stderr).toContain('Source "docker-daemon://my-base" is denied by policy');
  });

  test('is named in the error when the engine does not have it', async () => {
    const files = { Dockerfile: 'FROM docker-daemon://absent\n' };
    const failed = await buildInline(
      files,
      options({ store: scratchDirectory('store'), env: { DOCKER_HOST: engine.host } }),
    );
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain(`Image "absent" is not in Docker at ${engine.host}`);
  });
});

describe('an image that Docker pulled', needs('docker', 'registry'), () => {
  test('comes from its registry, with the digests there, or from Docker when the registry is gone', async () => {
    await using engine = await startDocker();
    const registry = await startRegistry();
    const reference = await pushBaseImage('busybox', registry.host);
    await docker(engine.host, ['pull', '--quiet', reference]);
    const env = { DOCKER_HOST: engine.host };
    const files = { Dockerfile: `FROM ${reference}\nRUN true\n` };
    const online = await buildGood(files, options({ store: scratchDirectory('store'), env }));
    const [base] = online.image().manifest.layers;
    expect(base?.mediaType).toMatch(/gzip$/);

    await registry[Symbol.asyncDispose]();
    const offline = await buildGood(files, options({ store: scratchDirectory('store'), env }));
    expect(offline.stderr).toContain(`${reference} is taken from Docker at ${engine.host}, and may be out of date`);
    expect(offline.tree().readText('/bin/busybox')).toEqual(online.tree().readText('/bin/busybox'));
  });
});

test(
  "an image of which Docker pulled one platform into containerd's store needs no registry",
  needs('docker', 'registry'),
  async () => {
    await using engine = await startDocker(scratchDirectory('docker'), { hasContainerdStore: true });
    const registry = await startRegistry();
    const reference = await pushBaseImage('busybox', registry.host);
    await docker(engine.host, ['pull', '--quiet', reference]);
    await registry[Symbol.asyncDispose]();
    const store = scratchDirectory('store');
    const files = { Dockerfile: `FROM ${reference}\nRUN true\n` };
    await buildGood(files, options({ store, env: { DOCKER_HOST: engine.host } }));
  },
);

describe('an engine that lies', needs('docker'), () => {
  test('does not get another image than the one it described into a build', async () => {
    await using engine = await startDocker();
    await commitBase(engine.host);
    const archive = join(scratchDirectory('archive'), 'busybox.tar');
    await docker(engine.host, ['save', '-o', archive, 'busybox']);
    const socket = join(scratchDirectory('liar'), 'docker.sock');
    const liar = createServer((request, response) => {
      if (request.url?.endsWith('/json') === true)
        return response.end(
          JSON.stringify({
            Id: `sha256:${'1'.repeat(64)}`,
            Os: 'linux',
            Architecture: process.arch === 'x64' ? 'amd64' : 'arm64',
          }),
        );
      return response.end(readFileSync(archive));
    });
    await new Promise<void>((resolve) => liar.listen(socket, resolve));
    chmodSync(socket, 0o666);
    const failed = await buildInline(
      { Dockerfile },
      options({ store: scratchDirectory('store'), env: { DOCKER_HOST: `unix://${socket}` } }),
    );
    liar.close();
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/sent another image than sha256:1{64}/);
  });
});

describe("an image in Podman's storage", needs('podman'), () => {
  /** Docker does not answer here, so that only containers-storage has the image. */
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const { buildah, env: storage } = containersTools();
    env = { ...storage, DOCKER_HOST: 'unix:///proc/none/docker.sock' };
    const container = (await buildah(['from', `oci:${baseImage('busybox')}:latest`])).trim();
    await buildah(['run', '--network', 'none', container, 'sh', '-c', 'echo mine > /mine']);
    await buildah(['commit', container, 'my-base']);
  });

  test('is found by its name without a running service', async () => {
    const store = scratchDirectory('store');
    const first = await buildGood({ Dockerfile }, options({ store, env }));
    expect(first.tree().readText('/copy')).toBe('mine\n');
    const second = await buildGood({ Dockerfile }, options({ store, env }));
    expect(second.stderr).toContain('CACHED');
    expect(second.id()).toBe(first.id());
  });

  test('is a context named containers-storage://NAME', async () => {
    const files = { Dockerfile: 'FROM base\nCOPY --from=base /mine /copy\n' };
    const args = ['--build-context', 'base=containers-storage://my-base'];
    const build = await buildGood(files, options({ args, store: scratchDirectory('store'), env }));
    expect(build.tree().readText('/copy')).toBe('mine\n');
  });

  test('is read by Buildah where Podman is not installed', async () => {
    const programs = scratchDirectory('programs');
    await runProcess('sh', [
      '-c',
      `ln -s /usr/sbin/* /usr/bin/* ${process.execPath} ${programs}; rm ${programs}/podman`,
    ]);
    const files = { Dockerfile: 'FROM containers-storage://my-base\n' };
    const args = ['-o', 'type=cacheonly'];
    const build = await runTbuild(['--progress', 'plain', ...args, writeFiles(files)], {
      store: scratchDirectory('store'),
      env: { ...env, PATH: programs },
    });
    good(build);
  });

  test('is read through the socket of a running service', async () => {
    const directory = scratchDirectory('runtime');
    const socket = join(directory, 'podman/podman.sock');
    writeFiles({ 'podman/': '' }, directory);
    await using _service = await startDaemon({
      program: 'podman',
      args: ['system', 'service', '--time', '0', `unix://${socket}`],
      env,
      logFile: join(directory, 'log'),
      isReady: async () => (await runProcess('docker', ['--host', `unix://${socket}`, 'version'])).exitCode === 0,
    });
    const build = await buildGood(
      { Dockerfile },
      options({ store: scratchDirectory('store'), env: { ...env, XDG_RUNTIME_DIR: directory } }),
    );
    expect(build.tree().readText('/copy')).toBe('mine\n');
  });
});
