import { createHash } from 'node:crypto';
import { cpSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { buildkitCases, caseFile, prepareCase } from '../../support/buildkit-case.ts';
import { docker } from '../../support/docker.ts';
import { startGitServer } from '../../support/git-server.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { tarOf, type NewMember } from '../../support/write-tar.ts';

const amd64 = { met: process.arch === 'x64', lacks: 'an amd64 processor' };

/** Without rewriting, layers carry times of the recording. */
const CASES = buildkitCases.filter((name) => name !== 'without-rewrite');

interface RecordedImage {
  readonly layout: string;
  readonly context: string;
  readonly args: readonly string[];
}

/** Puts an image together from its recorded documents and layers with the recorded digests. */
async function recordedImage(name: string): Promise<RecordedImage> {
  const { context, args, output } = await prepareCase(name);
  const layout = join(scratchDirectory('layout'), 'image');
  const plain = args.filter((arg) => !arg.startsWith('--provenance'));
  good(await runTbuild(['build', '-o', `${output},tar=false,dest=${layout}`, ...plain, context]));
  const index = caseFile(name, 'index.json') ?? '';
  writeFileSync(join(layout, 'index.json'), index);
  const put = (digest: string): void => {
    const kinds = ['index', 'manifest', 'config', 'statement'];
    const text = kinds
      .map((kind) => caseFile(name, `${kind}-${digest.slice(7, 19)}.json`))
      .find((one) => one !== undefined);
    // What is not recorded is a layer, which must be there.
    if (text === undefined) return void readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
    writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), text);
    const { manifests = [], config, layers } = JSON.parse(text);
    for (const child of [
      ...manifests,
      ...(config === undefined || config.size === undefined ? [] : [config]),
      ...(layers ?? []),
    ])
      put(child.digest);
  };
  for (const { digest } of JSON.parse(index).manifests) put(digest);
  return { layout, context, args: plain.filter((arg) => !arg.startsWith('--platform')) };
}

const verify = (...args: readonly string[]) => runTbuild(['verify', ...args]);

describe('images that BuildKit made', () => {
  for (const name of CASES) {
    const python = caseFile(name, 'setup.sh')?.includes('python3') ? ['python3'] : [];
    test(`${name} verifies as equal`, needs('root', amd64, ...python), async () => {
      const { layout, context, args } = await recordedImage(name);
      const { stdout, stderr, exitCode } = await verify(`oci-layout://${layout}`, '--context', context, ...args);
      expect(stderr).not.toContain('ERROR');
      expect(stdout).toContain('Equal: ');
      expect(exitCode).toBe(0);
    });
  }

  test('an image in a registry verifies as equal', needs('root', amd64, 'registry', 'skopeo'), async () => {
    const { layout, context, args } = await recordedImage('run-files');
    const name = `${await sharedService('registry')}/recorded:1`;
    await runChecked('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', `oci:${layout}`, `docker://${name}`]);
    const { stdout, exitCode } = await verify(name, '--context', context, ...args);
    expect(stdout).toContain('Equal: ');
    expect(exitCode).toBe(0);
  });

  test(
    'provenance with mode=max gives the arguments, and one with mode=min says that they are missing',
    needs('root', amd64),
    async () => {
      const { layout, context, args } = await recordedImage('provenance-max');
      const contexts = args.filter((_, at) => args[at] === '--build-context' || args[at - 1] === '--build-context');
      expect(await verify(`oci-layout://${layout}`, '--context', context, ...contexts)).toMatchObject({ exitCode: 0 });
      const min = await recordedImage('provenance-min-v02');
      const given = await verify(`oci-layout://${min.layout}`, '--context', min.context, ...contexts);
      expect(given.stdout).toContain('build arguments and labels are unknown unless they are given');
      // The time is in the annotations of the layers.
      expect(given.exitCode).toBe(0);
    },
  );
});

test("an image of Docker's own builder has the same layers", needs('docker'), async () => {
  const host = await sharedService('docker');
  const context = writeFiles({
    Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY d /d\nCMD ["/a"]\n',
    a: 'a\n',
    'd/b': 'b\n',
  });
  for (const name of ['a', 'd/b', 'd']) utimesSync(join(context, name), 1_600_000_000, 1_600_000_000);
  await docker(host, ['buildx', 'build', '--quiet', '--tag', 'own/builder:1', context]);
  const archive = join(scratchDirectory('saved'), 'image.tar');
  await docker(host, ['save', '-o', archive, 'own/builder:1']);
  const store = scratchDirectory('store');
  good(await runTbuild(['load', '-i', archive], { store }));
  const args = ['--format', 'json', '--context', context, 'own/builder:1'];
  const { stdout, exitCode } = await runTbuild(['verify', ...args], { store });
  const { layers, config } = JSON.parse(stdout);
  expect(layers.map(({ equal }: { equal: boolean }) => equal)).toEqual([true, true]);
  // Without SOURCE_DATE_EPOCH the time of the build is in the configuration.
  expect(config.map(({ path }: { path: string }) => path)).toContain('created');
  expect(exitCode).toBe(1);
});

test('an image is built again from its provenance alone', needs('root', 'registry', 'git', 'skopeo'), async () => {
  await using git = await startGitServer();
  const host = await sharedService('registry');
  const base = await pushBaseImage('busybox', host);
  await git.commit('app', {
    'sub/Dockerfile': `FROM ${base}\nARG GREETING\nCOPY a /a\nRUN echo "$GREETING" > /greeting\nLABEL made=$GREETING\n`,
    'sub/a': 'a\n',
  });
  const name = `${host}/from-git:1`;
  const source = `${git.url}/app.git#main:sub`;
  const args = ['--provenance=mode=max', '--build-arg', 'GREETING=hello', '--build-arg', 'SOURCE_DATE_EPOCH=context'];
  good(await runTbuild(['build', ...args, '-o', `type=image,push=true,rewrite-timestamp=true,name=${name}`, source]));
  // Neither a later commit nor another base under the same name has a part in it.
  await git.commit('app', { 'sub/a': 'newer\n' });
  const { stdout, stderr, exitCode } = await verify(name);
  expect(stderr).not.toContain('ERROR');
  expect(stdout).toContain('Equal: ');
  expect(exitCode).toBe(0);
  const [, pushed = ''] = /Pushed (\S+)/.exec((await verify('--attest', name)).stderr) ?? [];
  const inspect = async (reference: string) =>
    JSON.parse(await runChecked('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`]));
  const index = await inspect(name);
  const { subject, layers } = await inspect(pushed);
  expect(subject.digest).toBe(index.manifests[0].digest);
  expect(layers[0].annotations).toEqual({ 'in-toto.io/predicate-type': 'https://slsa.dev/verification_summary/v1' });
  const listed = await inspect(`${host}/from-git:${subject.digest.replace(':', '-')}`);
  expect(listed.manifests.map(({ digest }: { digest: string }) => digest)).toEqual([pushed.split('@')[1]]);
});

describe('an image that cannot be built again', () => {
  const plain = async (Dockerfile: string, ...args: readonly string[]) => {
    const context = writeFiles({ Dockerfile, a: 'a\n' });
    const layout = join(scratchDirectory('layout'), 'image');
    good(await runTbuild(['build', '-o', `type=oci,tar=false,dest=${layout}`, ...args, context]));
    return { context, image: `oci-layout://${layout}` };
  };

  test('has exit code 3, and the reason as JSON', async () => {
    const { image } = await plain('FROM scratch\nCOPY a /\n');
    const { stdout, stderr, exitCode } = await verify('--format', 'json', image);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('hint: Give its source with --context');
    expect(JSON.parse(stdout)).toMatchObject({ rebuilt: false, reason: expect.stringContaining('has no provenance') });
  });

  test('was built from a directory', async () => {
    const { image, context } = await plain('FROM scratch\nCOPY a /\n', '--provenance=mode=max');
    const { stderr, exitCode } = await verify(image);
    expect(stderr).toContain('was built from a directory, which provenance does not hold');
    expect(exitCode).toBe(3);
    expect((await verify('--ignore-times', image, '--context', context)).exitCode).toBe(0);
  });

  test('names the missing secrets', needs('root'), async () => {
    const secret = join(scratchDirectory('secret'), 'token');
    writeFileSync(secret, 'x');
    const { baseImageArguments } = await import('../../support/base-images.ts');
    const given = [...baseImageArguments(), '--secret', `id=token,src=${secret}`];
    const Dockerfile = 'FROM busybox\nRUN --mount=type=secret,id=token,required=true true\n';
    const { image, context } = await plain(Dockerfile, '--provenance=mode=max', ...given);
    const { stderr, exitCode } = await verify(image, '--context', context, ...baseImageArguments());
    expect(stderr).toContain('The build needs secret "token"');
    expect(exitCode).toBe(3);
    const args = [image, '--context', context, ...baseImageArguments(), '--secret', `id=other,src=${secret}`];
    expect((await verify(...args)).stderr).toContain('The build needs secret "token"');
    expect((await verify(...args, '--secret', `id=token,src=${secret}`)).stderr).not.toContain('ERROR');
  });

  test('has a Dockerfile that fails', async () => {
    const { image } = await plain('FROM scratch\nCOPY a /\n');
    const other = writeFiles({ Dockerfile: 'FROM scratch\nCOPY missing /\n' });
    const { stderr, exitCode } = await verify(image, '--context', other);
    expect(stderr).toContain('"/missing": not found');
    expect(exitCode).toBe(3);
  });
});

/** An image in a layout, whose parts a test may spoil. */
interface Spoilable {
  config: Record<string, unknown> & { config: Record<string, unknown>; rootfs: { diff_ids: string[] } };
  layers: Buffer[];
}

const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const FILES: readonly NewMember[] = [
  { name: 'app/', type: 'directory', mode: 0o755 },
  { name: 'app/config', data: 'port=80\n' },
  { name: 'app/built', data: 'built 2024-01-01 10:00:00\n' },
  { name: 'app/link', type: 'symlink', linkname: 'config' },
];

const fresh = (): Spoilable => {
  const layers = [tarOf([{ name: 'base', data: 'base' }]), tarOf(FILES)];
  const history = ['ADD base', 'COPY app'].map((created_by) => ({ created: '2024-01-01T00:00:00Z', created_by }));
  return {
    layers,
    config: {
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: { Env: ['A=1'] },
      rootfs: { diff_ids: layers.map(sha256) },
      history,
    },
  };
};

/** Replaces the layer of the application. */
const withFiles = (change: (files: readonly NewMember[]) => readonly NewMember[]) => (image: Spoilable) => {
  const layer = tarOf(change(FILES));
  image.layers[1] = layer;
  image.config.rootfs.diff_ids[1] = sha256(layer);
};

const withFile = (name: string, change: Partial<NewMember>) =>
  withFiles((files) => files.map((file) => (file.name === name ? { ...file, ...change } : file)));

function layoutOf(spoil: (image: Spoilable) => void = () => {}): string {
  const layout = scratchDirectory('layout');
  const image = fresh();
  spoil(image);
  const blobs: Record<string, Buffer> = {};
  const put = (mediaType: string, bytes: Buffer) => {
    blobs[sha256(bytes)] = bytes;
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const type = 'application/vnd.oci.image';
  const layers = image.layers.map((layer) => put(`${type}.layer.v1.tar+gzip`, gzipSync(layer)));
  const config = put(`${type}.config.v1+json`, Buffer.from(JSON.stringify(image.config)));
  const manifest = { schemaVersion: 2, mediaType: `${type}.manifest.v1+json`, config, layers };
  const root = put(`${type}.manifest.v1+json`, Buffer.from(JSON.stringify(manifest)));
  writeFiles({ 'blobs/sha256/': '' }, layout);
  for (const [digest, bytes] of Object.entries(blobs))
    writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), bytes);
  writeFiles({ 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' }, layout);
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
  return layout;
}

describe('verify --pair', () => {
  const original = layoutOf();
  const pair = (layout: string, ...args: readonly string[]) =>
    verify('--pair', ...args, `oci-layout://${original}`, `oci-layout://${layout}`);

  test('the same image is equal', async () => {
    const { stdout, exitCode } = await pair(layoutOf());
    expect(stdout).toMatch(/^Equal: /);
    expect(exitCode).toBe(0);
  });

  test.each<[what: string, spoil: (image: Spoilable) => void, explanation: string]>([
    ['one byte in a file', withFile('app/config', { data: 'port=81\n' }), '/app/config: content'],
    [
      'a time in a file',
      withFile('app/built', { data: 'built 2025-02-03 11:22:33\n' }),
      '/app/built: time inside the file',
    ],
    ['a mode', withFile('app/config', { mode: 0o4755 }), '/app/config: mode 0644 → 04755'],
    ['a link', withFile('app/link', { linkname: 'built' }), '/app/link: link config → built'],
    [
      'a capability',
      withFile('app/config', { pax: { 'SCHILY.xattr.security.capability': 'x' } }),
      '/app/config: attributes',
    ],
    [
      'an added file',
      withFiles((files) => [...files, { name: 'app/backdoor', data: '' }]),
      '/app/backdoor: only in the second',
    ],
    ['a removed file', withFiles((files) => files.slice(0, -1)), '/app/link: only in the first'],
    ['another order', withFiles((files) => files.toReversed()), 'in another order or form'],
    [
      'another base',
      (image) => {
        image.layers[0] = tarOf([{ name: 'base', data: 'other' }]);
        image.config.rootfs.diff_ids[0] = sha256(image.layers[0]);
      },
      'Layer 1: ADD base\n  /base: content',
    ],
    ['another argument', (image) => void (image.config.config.Env = ['A=2']), 'config.Env[0]: "A=1" → "A=2"'],
    [
      'a configuration of another image',
      (image) => void image.config.rootfs.diff_ids.reverse(),
      'but its configuration says',
    ],
    [
      'a layer that its configuration does not tell of',
      (image) => void (image.layers[1] = tarOf([])),
      'but its configuration says',
    ],
  ])('%s is found and explained', async (_, spoil, explanation) => {
    const { stdout, exitCode } = await pair(layoutOf(spoil));
    expect(stdout).toContain(explanation);
    expect(exitCode).toBe(1);
  });

  test('a damaged blob is found', async () => {
    const layout = scratchDirectory('damaged');
    cpSync(original, layout, { recursive: true });
    const [root] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
    const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'));
    const manifest = JSON.parse(readFileSync(blob(root.digest), 'utf8'));
    const path = blob(manifest.layers[1].digest);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    const { stdout, exitCode } = await pair(layout);
    expect(stdout).toMatch(/Layer 2 of .* is damaged/);
    expect(exitCode).toBe(1);
  });

  test('differences can be left out, which is not the same as equal', async () => {
    const spoiled = layoutOf(withFile('app/config', { data: 'port=81\n' }));
    expect((await pair(spoiled, '--ignore', '/app/other')).exitCode).toBe(1);
    const ignored = await pair(spoiled, '--ignore', '/app/conf*', '--format', 'json');
    expect(ignored.exitCode).toBe(0);
    expect(JSON.parse(ignored.stdout)).toMatchObject({ equal: false, normalised: { equal: true, ignored: 1 } });
    const later = layoutOf((image) => void (image.config.created = '2025-01-01T00:00:00Z'));
    expect((await pair(later)).stdout).toContain('created: "2024-01-01T00:00:00Z" → "2025-01-01T00:00:00Z"');
    expect((await pair(later, '--ignore-times')).stdout).toContain('Equal apart from 1 ignored difference');
  });

  test('JSON has every difference', async () => {
    const { stdout } = await pair(layoutOf(withFile('app/built', { data: 'built 2025-02-03\n' })), '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      equal: false,
      layers: [
        { at: 0, equal: true },
        {
          at: 1,
          createdBy: 'COPY app',
          equal: false,
          files: [{ path: '/app/built', aspect: 'content', cause: 'time inside the file', advice: expect.any(String) }],
        },
      ],
    });
  });
});
