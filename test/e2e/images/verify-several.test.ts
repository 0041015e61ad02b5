import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { docker, startDocker } from '../../support/docker.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGitServer } from '../../support/git-server.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const verify = (...args: readonly string[]) => runTbuild(['verify', ...args]);

const epoch = ['--build-arg', 'SOURCE_DATE_EPOCH=1700000000'];

/** Builds to an output without `dest=`, and returns its path. */
async function built(context: string, output: string, ...args: readonly string[]): Promise<string> {
  const dest = join(scratchDirectory('output'), output.includes('tar=false') ? 'image' : 'image.tar');
  good(await runTbuild(['build', ...epoch, '-o', `${output},rewrite-timestamp=true,dest=${dest}`, ...args, context]));
  return dest;
}

const LAYOUT = 'type=oci,tar=false';

describe('an index of several platforms', () => {
  const contextOf = (amd64: string) =>
    writeFiles({ Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /file\n', amd64, arm64: 'arm64\n' });
  const context = contextOf('amd64\n');
  const both = ['--platform', 'linux/amd64,linux/arm64', '--provenance=mode=max'];

  test('is verified in one call, image by image', async () => {
    const image = `oci-layout://${await built(context, LAYOUT, ...both)}`;
    const { stdout, exitCode } = await verify(image, '--context', context);
    expect(stdout).toMatch(/^Platform linux\/amd64\nEqual: .*\n\nPlatform linux\/arm64\nEqual: .*\n$/);
    expect(exitCode).toBe(0);
    const other = await verify(image, '--format', 'json', '--context', contextOf('other\n'));
    expect(JSON.parse(other.stdout)).toMatchObject({
      equal: false,
      platforms: [
        { platform: 'linux/amd64', rebuilt: true, equal: false },
        { platform: 'linux/arm64', rebuilt: true, equal: true },
      ],
    });
    expect(other.exitCode).toBe(1);
    const one = await verify(image, '--platform', 'linux/arm64', '--context', contextOf('other\n'));
    expect(one.stdout).toMatch(/^Equal: /);
    const unknown = await verify(image, '--platform', 'linux/arm64,linux/s390x', '--context', context);
    expect(unknown.stderr).toContain('has no variant for linux/s390x');
    expect(unknown.exitCode).toBe(3);
  });

  test('is compared with another one, platform by platform', async () => {
    const whole = `oci-layout://${await built(context, LAYOUT, ...both)}`;
    const equal = await verify('--pair', whole, `oci-layout://${await built(context, LAYOUT, ...both)}`);
    expect(equal.stdout.match(/^Equal: /gm)).toHaveLength(2);
    expect(equal.exitCode).toBe(0);
    const part = `oci-layout://${await built(context, LAYOUT, '--platform', 'linux/amd64', '--provenance=mode=max')}`;
    const less = await verify('--pair', whole, part);
    expect(less.stdout).toContain(`Different: Only ${whole} has an image for linux/arm64`);
    expect(less.exitCode).toBe(1);
    expect((await verify('--pair', '--platform', 'linux/amd64', whole, part)).exitCode).toBe(0);
  });
});

describe('an archive', () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'text\n' });

  test('of either form is compared with any image', async () => {
    const layout = `oci-layout://${await built(context, LAYOUT)}`;
    for (const output of ['type=oci', 'type=docker,name=app:1']) {
      const { stdout, exitCode } = await verify('--pair', layout, await built(context, output));
      expect(stdout).toMatch(/^Equal: /);
      expect(exitCode).toBe(0);
    }
    const other = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'other\n' });
    const { stdout, exitCode } = await verify('--pair', layout, await built(other, 'type=docker'));
    expect(stdout).toContain('  /a: content');
    expect(exitCode).toBe(1);
  });

  test('of docker save equals the image that Docker loaded', needs('docker'), async () => {
    const host = await sharedService('docker');
    const archive = await built(context, 'type=docker,name=own/verified:1');
    const saved = join(scratchDirectory('saved'), 'image.tar');
    await docker(host, ['load', '-i', archive]);
    await docker(host, ['tag', 'own/verified:1', 'own/verified:2']);
    await docker(host, ['save', '-o', saved, 'own/verified:1', 'own/verified:2']);
    const { stdout, exitCode } = await verify('--pair', archive, `docker-archive:${saved}:own/verified:2`);
    expect(stdout).toMatch(/^Equal: /);
    expect(exitCode).toBe(0);
  });

  test('that is damaged is found', async () => {
    const archive = await built(context, 'type=oci,compression=uncompressed');
    const bytes = readFileSync(archive);
    bytes[bytes.indexOf('text\n')]! ^= 1;
    const damaged = join(scratchDirectory('damaged'), 'image.tar');
    writeFileSync(damaged, bytes);
    const { stdout, exitCode } = await verify('--pair', archive, damaged);
    expect(stdout).toMatch(/Layer 1 of .* is damaged/);
    expect(exitCode).toBe(1);
  });

  test('that cannot be read is exit code 3', async () => {
    const archive = await built(context, 'type=oci');
    const text = writeFiles({ 'x.tar': 'no archive, but a text that is long enough\n'.repeat(30) });
    const none = await verify('--pair', archive, join(text, 'x.tar'));
    expect(none.stderr).toContain('it is damaged or not an archive');
    expect(none.exitCode).toBe(3);
    const missing = await verify('--pair', archive, join(text, 'missing.tar'));
    expect(missing.stderr).toContain('does not exist');
    expect(missing.exitCode).toBe(3);
    const unnamed = await verify('--pair', archive, `oci-archive:${archive}:other`);
    expect(unnamed.stderr).toContain('holds no such image');
    expect(unnamed.exitCode).toBe(3);
  });
});

test(
  "an image of Docker's own builder is built again from the provenance that it wrote",
  needs('docker', 'git'),
  async () => {
    await using engine = await startDocker(scratchDirectory('docker'), { hasContainerdStore: true });
    await using git = await startGitServer();
    await git.commit('app', { 'sub/a': 'before\n' });
    await git.commit('app', {
      'sub/Dockerfile': 'FROM scratch\nCOPY a d /to/\nLABEL l=1\n',
      'sub/a': 'a\n',
      'sub/d/b': 'b\n',
    });
    const archive = join(scratchDirectory('built'), 'image.tar');
    const output = `type=oci,dest=${archive},rewrite-timestamp=true`;
    const source = `${git.url}/app.git#main:sub`;
    await docker(engine.host, ['buildx', 'build', '--provenance', 'mode=max', ...epoch, '-o', output, source]);
    await git.commit('app', { 'sub/a': 'after\n' });
    const { stdout, exitCode } = await verify(archive);
    expect(stdout).toMatch(/^Equal: /);
    expect(exitCode).toBe(0);
  },
);

test('a damaged layer is a difference, also where its times are looked at', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'text\n' });
  const layout = await built(context, `${LAYOUT},oci-mediatypes=false,compression=uncompressed`);
  const [root] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
  const [layer] = JSON.parse(readFileSync(blob(root.digest), 'utf8')).layers;
  const bytes = readFileSync(blob(layer.digest));
  bytes[0]! ^= 1;
  writeFileSync(blob(layer.digest), bytes);
  const { stdout, exitCode } = await verify(`oci-layout://${layout}`, '--context', context, ...epoch);
  expect(stdout).toMatch(/Layer 1 of .* is damaged/);
  expect(exitCode).toBe(1);
});

test('labels and build arguments are given as to a build', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nARG NAME\nLABEL name=$NAME\nCOPY a /\n', a: 'text\n' });
  const given = ['--label', 'empty', '--build-arg', 'NAME'];
  const image = join(scratchDirectory('layout'), 'image');
  const env = { NAME: 'value' };
  const output = `${LAYOUT},rewrite-timestamp=true,dest=${image}`;
  good(await runTbuild(['build', ...epoch, ...given, '-o', output, context], { env }));
  const args = ['verify', `oci-layout://${image}`, '--context', context, ...given];
  expect((await runTbuild(args, { env })).stdout).toMatch(/^Equal: /);
  expect((await runTbuild(args)).stdout).toContain('config.Labels.name: "value" → ""');
});

describe('--attest', needs('registry'), () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'text\n' });

  test.each([
    ['writes no tag where the registry lists referrers', true],
    ['writes the tag of the list elsewhere', false],
  ])('%s', async (_, listsReferrers) => {
    await using proxy = await startFaultProxy(await sharedService('registry'));
    const name = `${proxy.host}/listed-${listsReferrers}:1`;
    good(await runTbuild(['build', ...epoch, '-o', `type=registry,rewrite-timestamp=true,name=${name}`, context]));
    const stored = await fetch(`http://${proxy.host}/v2/${name.split('/')[1]!.replace(':', '/manifests/')}`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const subject = stored.headers.get('docker-content-digest') ?? '';
    // Docker's registry of Debian has no list of referrers. One that has says so when it stores a manifest.
    const headers = { 'oci-subject': subject };
    if (listsReferrers) proxy.decide = (line) => (line.startsWith('PUT ') ? { kind: 'headers', headers } : undefined);
    proxy.seen.length = 0;
    const { stderr, exitCode } = await verify('--attest', name, '--context', context, ...epoch);
    expect(stderr).toMatch(/^Pushed /m);
    expect(exitCode).toBe(0);
    const tags = proxy.seen.filter(({ line }) => line.includes(`/manifests/${subject.replace(':', '-')}`));
    expect(tags.length > 0).toBe(!listsReferrers);
  });
});
