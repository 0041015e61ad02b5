import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { startContainerd } from '../../support/containerd.ts';
import { docker, startDocker, type Docker } from '../../support/docker.ts';
import { startEngineProxy } from '../../support/engine-proxy.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startSshServer } from '../../support/ssh-server.ts';
import { buildGood, buildInline, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const hello = { Dockerfile: 'FROM busybox\nCOPY message /\nCMD ["cat", "/message"]\n', message: 'it runs\n' };
const platforms = ['--platform', 'linux/amd64,linux/arm64'];
const each = { Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY message /$TARGETARCH\n', message: 'a\n' };

const run = (host: string, image: string, env = {}) =>
  docker(host, ['run', '--rm', '--network', 'none', image], { env });

describe("a Docker with containerd's store", needs('docker'), () => {
  let engine: Docker;
  beforeAll(async () => {
    engine = await startDocker(scratchDirectory('docker'), { hasContainerdStore: true });
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('gets an index with all platforms and their attestations', async () => {
    const args = ['--tag', 'several:1', ...platforms, '--provenance=true', '--load'];
    const build = await buildGood(each, { args, env: { DOCKER_HOST: engine.host } });
    expect(build.stderr).not.toContain('Attestations are left out');
    const id = await docker(engine.host, ['images', '--no-trunc', '--quiet', 'several:1']);
    expect(id.trim()).toBe(build.id());
    const archive = join(scratchDirectory('saved'), 'image.tar');
    await docker(engine.host, ['save', '--output', archive, 'several:1']);
    const index = JSON.parse(await runChecked('tar', ['-xOf', archive, `blobs/${build.id().replace(':', '/')}`]));
    const kinds = index.manifests.map(
      ({ platform: { architecture } }: { platform: { architecture: string } }) => architecture,
    );
    expect(kinds).toEqual(['amd64', 'arm64', 'unknown', 'unknown']);
  });

  test('runs the image of one platform that has attestations', async () => {
    const args = ['--tag', 'attested:1', '--provenance=true', '--load'];
    await buildGood(hello, { args, env: { DOCKER_HOST: engine.host } });
    expect(await run(engine.host, 'attested:1')).toBe('it runs\n');
  });
});

test("several platforms do not fit into Docker's own store", needs('docker'), async () => {
  await using engine = await startDocker();
  const env = { DOCKER_HOST: engine.host };
  const failed = await buildInline(each, { args: [...platforms, '--load'], env });
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain(
    `Docker at ${engine.host} loads the image of one platform, but several are requested`,
  );
  expect(failed.stderr).not.toContain('COPY');
  const warned = await buildGood(hello, { args: ['--tag', 'plain:1', '--provenance=true', '--load'], env });
  expect(warned.stderr).toContain('Attestations are left out');
  expect(await run(engine.host, 'plain:1')).toBe('it runs\n');
});

describe.each([
  { store: "Docker's own", hasContainerdStore: false },
  { store: "containerd's", hasContainerdStore: true },
])('loading into $store store', needs('docker'), ({ hasContainerdStore }) => {
  const large = createHash('shake256', { outputLength: 1_000_000 }).update('large').digest('base64');
  const build = (message: string, env: Readonly<Record<string, string>>) =>
    buildGood(
      { Dockerfile: 'FROM busybox\nCOPY large /\nCOPY message /\nCMD ["cat", "/message"]\n', large, message },
      { args: ['--tag', 'again:1', '--load'], env },
    );

  test('sends only the layers that Docker lacks, and all when it has lost them', async () => {
    await using engine = await startDocker(scratchDirectory('docker'), { hasContainerdStore });
    await using proxy = await startEngineProxy(engine.host);
    const env = { DOCKER_HOST: proxy.host };
    await build('one\n', env);
    expect(proxy.loads()[0]).toBeGreaterThan(large.length);
    await build('two\n', env);
    // A busy Docker may refuse that, and then gets all.
    expect(proxy.loads()[0]).toBeLessThan(large.length / 10);
    expect(await run(engine.host, 'again:1')).toBe('two\n');

    await docker(engine.host, ['rmi', '--force', 'again:1']);
    await docker(engine.host, ['system', 'prune', '--force', '--all']);
    await build('three\n', env);
    expect(await run(engine.host, 'again:1')).toBe('three\n');
  });
});

test(
  'a Docker on another machine is reached through ssh, for loading and for its images',
  needs('docker', 'sshd', 'ssh'),
  async () => {
    await using engine = await startDocker();
    await using server = await startSshServer({ dockerHost: engine.host });
    const env = { ...server.env, DOCKER_HOST: `ssh://${server.name}` };
    await buildGood(hello, { args: ['--tag', 'remote:1', '--load'], env });
    expect(await run(engine.host, 'remote:1')).toBe('it runs\n');

    const args = ['--build-context', 'base=docker-daemon://remote:1', '--output', 'type=cacheonly'];
    const store = scratchDirectory('store');
    const { stderr } = await buildInline(
      { Dockerfile: 'FROM base\nRUN cat /message\n' },
      { args, images: [], env, store },
    );
    expect(stderr).toContain('it runs');

    const nowhere = { ...env, DOCKER_HOST: 'ssh://root@127.0.0.1:1' };
    const failed = await buildInline(hello, { args: ['--load'], env: nowhere });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('Docker does not answer at ssh://root@127.0.0.1:1');
  },
);

test(
  'a Docker behind TLS is reached with the keys of DOCKER_CERT_PATH, of a context or of options',
  needs('docker', 'openssl'),
  async () => {
    const keys = scratchDirectory('keys');
    await makeKeys(keys);
    await using engine = await startDocker(scratchDirectory('docker'), { tls: keys });
    const env = { DOCKER_HOST: engine.host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: keys };
    await buildGood(hello, { args: ['--tag', 'tls:1', '--load'], env });
    expect(await run(engine.host, 'tls:1', env)).toBe('it runs\n');

    const config = scratchDirectory('config');
    const pem = ['ca', 'cert', 'key'].map((name) => `${name}=${join(keys, `${name}.pem`)}`).join(',');
    await runChecked('docker', ['context', 'create', 'far', '--docker', `host=${engine.host},${pem}`], {
      env: { DOCKER_CONFIG: config },
    });
    const chosen = { DOCKER_CONFIG: config, DOCKER_CONTEXT: 'far' };
    await buildGood(hello, { args: ['--tag', 'tls:2', '--load'], env: chosen });
    expect(await run(engine.host, 'tls:2', env)).toBe('it runs\n');
    const into = ['--output', 'type=docker,context=far', '--tag', 'tls:4'];
    await buildGood(hello, { args: into, env: { DOCKER_CONFIG: config } });
    expect(await run(engine.host, 'tls:4', env)).toBe('it runs\n');

    const options = ['ca', 'cert', 'key'].map((name) => `--tls${name === 'ca' ? 'cacert' : name}=${keys}/${name}.pem`);
    const called = ['__docker', 'buildx', '--host', engine.host, '--tlsverify', ...options, 'buildx', 'build'];
    const context = writeFiles(hello);
    good(await runTbuild([...called, ...baseImageArguments(), '--tag', 'tls:3', context]));
    expect(await run(engine.host, 'tls:3', env)).toBe('it runs\n');

    const stranger = { ...env, DOCKER_CERT_PATH: scratchDirectory('empty') };
    const failed = await buildInline(hello, { args: ['--load'], env: stranger });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain('hint: Check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH');
  },
);

test('TBUILD_LOAD_INTO=ctr loads all platforms into containerd', needs('containerd'), async () => {
  await using containerd = await startContainerd();
  const env = { TBUILD_LOAD_INTO: 'ctr', CONTAINERD_ADDRESS: containerd.address, CONTAINERD_NAMESPACE: 'mine' };
  await buildGood(each, { args: ['--tag', 'for-containerd:1', ...platforms, '--load'], env });
  const listed = await containerd.ctr(['--namespace', 'mine', 'images', 'list']);
  expect(listed).toMatch(/docker\.io\/library\/for-containerd:1 .*linux\/amd64,linux\/arm64/);
});

test('containerd gets only the layers that it lacks, and all when it has lost them', needs('containerd'), async () => {
  await using containerd = await startContainerd();
  const env = { TBUILD_LOAD_INTO: 'ctr', CONTAINERD_ADDRESS: containerd.address, CONTAINERD_NAMESPACE: 'mine' };
  const images = (...args: string[]) => containerd.ctr(['--namespace', 'mine', 'images', ...args]);
  const large = createHash('shake256', { outputLength: 1_000_000 }).update('large').digest('base64');
  const load = async (message: string) => {
    const dockerfile = 'FROM busybox\nCOPY large /\nCOPY message /\n';
    const files = { Dockerfile: dockerfile, large, message };
    const { stderr } = await buildGood(files, { args: ['--tag', 'parts:1', '--load'], env });
    expect(await images('check')).toMatch(/parts:1 .* complete \(4\/4\)/);
    return /sending tarball (\S+) .*done$/m.exec(stderr)?.[1];
  };
  expect(await load('one')).toMatch(/MB$/);
  expect(await load('two')).toMatch(/kB$/);
  await images('rm', '--sync', 'docker.io/library/parts:1');
  expect(await load('three')).toMatch(/MB$/);
});

/** Makes an authority, and one pair of keys that it signed for server and client. */
async function makeKeys(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const at = (name: string) => join(directory, name);
  writeFileSync(at('extensions'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  const openssl = (...args: readonly string[]) => runChecked('openssl', args);
  const subject = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  await openssl(
    'req',
    '-x509',
    ...subject,
    '-subj',
    '/CN=authority',
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
  );
  await openssl(
    'req',
    ...subject.slice(0, 3),
    '-subj',
    '/CN=127.0.0.1',
    '-keyout',
    at('key.pem'),
    '-out',
    at('request'),
  );
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem'), '-CAcreateserial', '-days', '2'];
  await openssl('x509', '-req', '-in', at('request'), ...signer, '-extfile', at('extensions'), '-out', at('cert.pem'));
}
