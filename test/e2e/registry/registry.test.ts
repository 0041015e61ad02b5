import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { skopeo } from '../../support/peers.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, buildInline, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const fromRegistry = { images: [] } as const;

describe('a registry', needs('registry'), () => {
  describe.each(builders)('used by $who', ({ asUser }) => {
    test('provides the base image and receives the result', async () => {
      const host = await sharedService('registry');
      const base = await pushBaseImage('busybox', host);
      const tag = `${host}/pushed-by-${asUser ? 'user' : 'self'}:v1`;
      const build = await buildGood(
        { Dockerfile: `FROM ${base}\nRUN echo built > /built\nCMD ["cat", "/built"]\n` },
        { ...fromRegistry, asUser, args: ['--tag', tag, '--push'] },
      );
      const pushed = JSON.parse(await skopeo(['inspect', '--tls-verify=false', '--config', `docker://${tag}`]));
      expect(pushed.config.Cmd).toEqual(['cat', '/built']);
      const manifest = JSON.parse(await skopeo(['inspect', '--tls-verify=false', '--raw', `docker://${tag}`]));
      expect(manifest.layers.map(({ mediaType }: { mediaType: string }) => mediaType.split('.').at(-1))).toEqual([
        'tar+gzip',
        'tar+gzip',
      ]);
      const copy = join(scratchDirectory('pulled'), 'layout');
      await skopeo(['copy', '--quiet', '--src-tls-verify=false', `docker://${tag}`, `oci:${copy}:v1`]);
      expect(build.tree().readText('/built')).toBe('built\n');
    });
  });

  test('mounts the layers of the base from their repository instead of an upload', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const store = scratchDirectory('store');
    const args = ['--tag', `${registry.host}/team/app:1`, '-o', 'type=registry,store=false', '--progress', 'plain'];
    const context = writeFiles({ Dockerfile: `FROM ${base}\nENV A=1\n` });
    good(await runTbuild(['build', ...args, context], { store }));
    const manifest = JSON.parse(
      await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${registry.host}/team/app:1`]),
    );
    expect(manifest.layers).toHaveLength(1);
    // No step needed the base's files, so an upload would have to fetch its layer first.
    expect(existsSync(join(store, 'blobs', manifest.layers[0].digest.replace(':', '/')))).toBe(false);
  });

  test('holds the digest that the metadata file names', async () => {
    const host = await sharedService('registry');
    const file = join(scratchDirectory('metadata'), 'file.json');
    const name = `${host}/metadata:1`;
    const build = await buildGood(
      { Dockerfile: 'FROM busybox\nRUN true > /f\n' },
      { args: ['--tag', name, '--push', '--metadata-file', file] },
    );
    // The store and the registry share one export step.
    expect(build.stderr.match(/^#\d+ exporting to image$/gm)).toHaveLength(1);
    const metadata = JSON.parse(readFileSync(file, 'utf8'));
    const pushed = JSON.parse(await skopeo(['inspect', '--tls-verify=false', `docker://${name}`]));
    expect(metadata).toMatchObject({
      'containerimage.config.digest': build.id(),
      'containerimage.descriptor': { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: pushed.Digest },
      'containerimage.digest': pushed.Digest,
      'image.name': name,
    });
  });

  test('is not asked again for layers in the store', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const args = ['--tag', `${host}/twice:1`, '--tag', `${host}/twice:2`, '--push'];
    await buildGood({ Dockerfile: `FROM ${base}\nRUN echo twice > /twice\n` }, { ...fromRegistry, args });
    const tags = JSON.parse(await skopeo(['list-tags', '--tls-verify=false', `docker://${host}/twice`]));
    expect(tags.Tags.sort()).toEqual(['1', '2']);
  });

  test('that requires credentials gets those of ~/.docker/config.json', async () => {
    const auth = { username: 'someone', password: 's3cret' };
    await using registry = await startRegistry({ auth });
    const base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
    const files = { Dockerfile: `FROM ${base}\nRUN true\n` };

    const refused = await buildInline(files, { ...fromRegistry, store: scratchDirectory('store') });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(registry.host);
    expect(refused.stderr).toMatch(/401|unauthorized|credentials/i);

    const args = ['--tag', `${registry.host}/private:1`, '--push'];
    await buildGood(files, { ...fromRegistry, args, env: { HOME: homeWith({ [registry.host]: auth }) } });
    await skopeo(['inspect', '--tls-verify=false', '--creds', 'someone:s3cret', `docker://${registry.host}/private:1`]);

    const wrong = homeWith({ [registry.host]: { ...auth, password: 'wrong' } });
    const denied = await buildInline(files, {
      ...fromRegistry,
      store: scratchDirectory('store'),
      env: { HOME: wrong },
    });
    expect(denied.exitCode).toBe(1);
    expect(denied.stderr).not.toContain('wrong');
  });

  test('with a self-signed certificate is reached when it is trusted, or with --insecure-registry', async () => {
    await using registry = await startRegistry({ tls: true });
    const base = await pushBaseImage('busybox', registry.host);
    const files = { Dockerfile: `FROM ${base}\nRUN true\n` };
    await buildGood(files, {
      ...fromRegistry,
      store: scratchDirectory('store'),
      env: { NODE_EXTRA_CA_CERTS: registry.certificate! },
    });
    // The name does not count as loopback, so certificates are checked.
    const far = base.replace('127.0.0.1', '127.1');
    const build = (env: Record<string, string>) =>
      buildInline(
        { Dockerfile: `FROM ${far}\nRUN true\n` },
        { ...fromRegistry, store: scratchDirectory('store'), env },
      );
    for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) good(await build({ [name]: registry.certificate! }));
    const untrusted = await build({});
    expect(untrusted.exitCode).toBe(1);
    expect(untrusted.stderr).toContain('certificate signed by unknown authority');
    const missing = await build({ NODE_EXTRA_CA_CERTS: '/no/such/file' });
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain('Certificates "/no/such/file" of NODE_EXTRA_CA_CERTS: there is no such file');
    await buildGood(files, {
      ...fromRegistry,
      store: scratchDirectory('store'),
      args: ['--insecure-registry', registry.host],
    });
  });

  test('serves an index, from which the requested platform is chosen', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const other = process.arch === 'x64' ? 'arm64' : 'amd64';
    const build = await buildGood(
      { Dockerfile: `FROM ${base}\nCOPY f /f\n`, f: 'f\n' },
      { ...fromRegistry, args: ['--platform', `linux/${other}`] },
    );
    expect(build.image().config.architecture).toBe(other);
    const missing = await buildInline(
      { Dockerfile: `FROM ${base}\nCOPY f /f\n`, f: 'f\n' },
      { ...fromRegistry, args: ['--platform', 'linux/s390x'] },
    );
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('s390x');
  });

  test('is asked for a tag that was pushed from here only with --pull', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const files = { Dockerfile: `FROM ${base}\nRUN cat /marker 2>/dev/null > /seen || true\n` };
    await buildGood(files, fromRegistry);
    await buildGood(
      { Dockerfile: `FROM ${base}\nRUN echo moved > /marker\n` },
      { ...fromRegistry, args: ['--tag', base, '--push'] },
    );
    const pulled = await buildGood(files, { ...fromRegistry, args: ['--pull'] });
    expect(pulled.tree().readText('/seen')).toBe('moved\n');
  });

  test('that lacks the image causes a message that names it', async () => {
    const host = await sharedService('registry');
    const build = await buildInline({ Dockerfile: `FROM ${host}/not/there:v9\n` }, fromRegistry);
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain(`${host}/not/there:v9`);
    expect(build.stderr).toMatch(/Dockerfile:1\b/);
  });

  test('that is down causes one clear message without a stack', async () => {
    const build = await buildInline({ Dockerfile: 'FROM 127.0.0.1:1/x/y\nRUN true\n' }, fromRegistry);
    expect(build.exitCode).toBe(1);
    expect(build.stderr).toContain('127.0.0.1:1');
    expect(build.stderr).not.toMatch(/^ +at /m);
  });

  test('rejects a malformed reference by name', async () => {
    const build = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: ['--tag', 'Upper/Case:x'] });
    expect(build.exitCode).toBe(2);
    expect(build.stderr).toContain('Upper/Case');
  });

  test('serves the pushed image to an empty store of tbuild', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const tag = `${host}/chain:1`;
    await buildGood(
      { Dockerfile: `FROM ${base}\nRUN rm -r /var && echo 1 > /one\n` },
      { ...fromRegistry, args: ['--tag', tag, '--push'] },
    );
    const next = await buildGood(
      { Dockerfile: `FROM ${tag}\nRUN ls / > /list\n` },
      { ...fromRegistry, store: scratchDirectory('store') },
    );
    const list = next.tree().readText('/list').split('\n');
    expect(list).toContain('one');
    expect(list).not.toContain('var');
  });
});

test('a short name is resolved on Docker Hub', async () => {
  const { exitCode, stderr } = await runTbuild(['build', '--progress', 'plain', '--pull', writeOnlyFrom('nginx')]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('docker.io/library/nginx:latest');
});

function writeOnlyFrom(name: string): string {
  const context = scratchDirectory('context');
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name}\n`);
  return context;
}

function homeWith(accounts: Record<string, { username: string; password: string }>): string {
  const home = scratchDirectory('home');
  const auths = Object.entries(accounts).map(([host, { username, password }]) => [
    host,
    { auth: Buffer.from(`${username}:${password}`).toString('base64') },
  ]);
  mkdirSync(join(home, '.docker'));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: Object.fromEntries(auths) }));
  return home;
}
