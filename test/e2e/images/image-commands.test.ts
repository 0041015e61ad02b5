import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { docker } from '../../support/docker.ts';
import { imagesOf } from '../../support/layout.ts';
import { containersTools, skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { buildGood, good, runTbuild, userDirectory } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

const files = {
  Dockerfile: `FROM busybox
COPY data /srv/data
RUN echo made > /made && rm /srv/data
LABEL a=b
CMD ["cat", "/made"]
`,
  data: 'data\n',
};

const inStore =
  (store: string, asUser = false) =>
  async (...args: string[]) =>
    good(await runTbuild(args, { store, asUser })).stdout;
const idOf = async (tbuild: ReturnType<typeof inStore>, name: string) =>
  JSON.parse(await tbuild('inspect', name))[0].Id;

describe.each(builders)('the images of $who', ({ asUser }) => {
  const newStore = () => (asUser ? userDirectory('store') : scratchDirectory('store'));

  test('get additional names, and inspect describes them as docker inspect does', async () => {
    const store = newStore();
    const tbuild = inStore(store, asUser);
    const build = await buildGood(files, { store, asUser, args: ['--tag', 'app:1'] });
    await tbuild('tag', 'app:1', 'other/name:2');
    await tbuild('tag', build.id().slice(7, 19), 'by-id');
    const [image] = JSON.parse(await tbuild('inspect', 'other/name:2'));
    expect(image).toMatchObject({
      Id: build.id(),
      Os: 'linux',
      Config: { Cmd: ['cat', '/made'], Labels: { a: 'b' } },
      RootFS: { Type: 'layers' },
    });
    expect(image.RepoTags.sort()).toEqual(['app:1', 'by-id:latest', 'other/name:2']);
    expect(JSON.parse(await tbuild('inspect', '--format', 'json', 'app:1'))).toEqual(image);
    for (const name of [image.RepoDigests[0], image.Descriptor.digest, image.Id.slice(7, 15)])
      expect(await tbuild('inspect', '-f', '{{.Id}}', name)).toBe(`${image.Id}\n`);
    const lines = (await tbuild('images', '--format', 'json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ Repository, Tag }) => `${Repository}:${Tag}`)).toEqual([
      'app:1',
      'by-id:latest',
      'other/name:2',
    ]);
    const history = (await tbuild('history', '--format', 'json', '--no-trunc', 'app:1'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(history[0]).toMatchObject({ ID: build.id(), CreatedBy: 'CMD ["cat" "/made"]', Size: '0B' });
  });

  test('survive save and load unchanged, compressed or not', async () => {
    const [store, other] = [newStore(), newStore()];
    const place = asUser ? userDirectory('saved') : scratchDirectory('saved');
    const build = await buildGood(files, { store, asUser, args: ['--tag', 'app:1', '--tag', 'app:2'] });
    await inStore(store, asUser)('save', '-o', join(place, 'image.tar'), 'app:1', 'app:2');
    expect(await inStore(other, asUser)('load', '-i', join(place, 'image.tar'))).toBe(
      'Loaded image: app:1\nLoaded image: app:2\n',
    );
    expect(await idOf(inStore(other, asUser), 'app:2')).toBe(build.id());
    // A name without a tag selects all of its tags.
    await inStore(store, asUser)('save', '-o', join(place, 'all.tar'), 'app');
    expect(await runChecked('tar', ['-xOf', join(place, 'all.tar'), 'manifest.json'])).toMatch(/app:1.*app:2/);
    expect(imagesOf(other).flatMap(problemsOf)).toEqual([]);
    await runChecked('gzip', ['-k', join(place, 'image.tar')]);
    expect(await inStore(newStore(), asUser)('load', '-q', '-i', join(place, 'image.tar.gz'))).toBe(
      'Loaded image: app:1\nLoaded image: app:2\n',
    );
  });

  test('are compared by diff with A, C and D, as docker diff does', async () => {
    const store = newStore();
    const tbuild = inStore(store, asUser);
    await buildGood(files, { store, asUser, args: ['--tag', 'app:1'] });
    await buildGood(
      { ...files, Dockerfile: `FROM busybox\nCOPY data /srv/data\nRUN mkdir /new && echo longer > /new/file\n` },
      { store, asUser, args: ['--tag', 'app:2'] },
    );
    // The mount points of a RUN stay in the image.
    const shown = async (...names: string[]) => (await tbuild('diff', ...names)).replace(/^A \/(proc|sys|dev)\n/gm, '');
    expect(await shown('app:1')).toBe('A /made  +5B\nC /srv\nD /srv/data  -5B\n');
    expect(await shown('app:1', 'app:2')).toBe('D /made  -5B\nA /new\nA /new/file  +7B\nC /srv\nA /srv/data  +5B\n');
    expect(await shown('app:1', 'app:1')).toBe('');
    const [first] = (await tbuild('diff', '--format', 'json', 'app:1')).split('\n');
    expect(JSON.parse(first ?? '')).toEqual({ kind: 'A', path: '/made', bytes: 5 });
  });
});

describe('lists', () => {
  const store = scratchDirectory('store');
  const tbuild = inStore(store);
  const base = (time: number) => ({ store, env: { SOURCE_DATE_EPOCH: String(1_600_000_000 + time) } });
  const names = async (...args: string[]) =>
    (await tbuild('images', '--format', '{{.Repository}}:{{.Tag}}', ...args)).trim().split('\n');
  beforeAll(async () => {
    await buildGood(files, { ...base(0), args: ['-t', 'team/app:1'] });
    await buildGood(
      { ...files, data: 'other\n' },
      { ...base(1000), args: ['-t', 'team/app:2', '--label', 'stage=ci'] },
    );
    await buildGood({ ...files, data: 'third\n' }, { ...base(2000), args: ['-t', 'tool:latest'] });
  });

  test('start with the newest image', async () => {
    expect(await names()).toEqual(['tool:latest', 'team/app:2', 'team/app:1']);
  });

  test.each([
    [['team/app'], ['team/app:2', 'team/app:1']],
    [['team/app:1'], ['team/app:1']],
    [
      ['-f', 'reference=*/a??'],
      ['team/app:2', 'team/app:1'],
    ],
    [['-f', 'reference=*'], ['tool:latest']],
    [
      ['-f', 'reference=tool', '-f', 'reference=*/*:1'],
      ['tool:latest', 'team/app:1'],
    ],
    [['--filter', 'before=team/app:2'], ['team/app:1']],
    [
      ['--filter', 'since=team/app:1'],
      ['tool:latest', 'team/app:2'],
    ],
    [
      ['--filter', 'label=a=b'],
      ['tool:latest', 'team/app:2', 'team/app:1'],
    ],
    [['--filter', 'label=stage', '--filter', 'label=a=b'], ['team/app:2']],
    [['--filter', 'label=stage=cd'], ['']],
    [['--filter', 'dangling=true'], ['']],
  ])('images %j', async (args, expected) => expect(await names(...args)).toEqual(expected));

  test.each([
    [['images', '-q'], /^([0-9a-f]{12}\n){3}$/],
    [['images', '-q', '--no-trunc'], /^(sha256:[0-9a-f]{64}\n){3}$/],
    [
      ['images', '--digests', 'tool'],
      /^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE\ntool +latest +sha256:[0-9a-f]{64} /,
    ],
    [['images', '--format', 'table {{.Repository}}\\t{{upper .Tag}}', 'tool'], /^REPOSITORY +TAG\ntool +LATEST\n$/],
    [['image', 'ls', 'tool'], /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\ntool /],
    [['history', '--human=false', '--format', '{{.CreatedSince}} {{.Size}}', 'tool'], /^2020-09-13T13:00:00Z 0\n/],
    [['history', '-q', 'tool'], /^[0-9a-f]{12}\n(<missing>\n)+$/],
    [
      ['inspect', '-f', '{{.Os}}/{{.Architecture}} {{.Config.Cmd}} {{json .Config.Entrypoint}}', 'tool'],
      /^linux\/amd64 \[cat \/made\] null\n$/,
    ],
    [
      ['inspect', '--type', 'image', '-f', '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}', 'team/app:2'],
      /^a=b stage=ci \n$/,
    ],
    [['du', '--format', '{{.Type}} {{.Size}}'], /^image blobs \S+B$/m],
  ])('%j', async (args, expected) => expect(await tbuild(...args)).toMatch(expected));

  test('a command on several images handles the others when one does not exist', async () => {
    await tbuild('tag', 'tool', 'gone:1');
    const removed = await runTbuild(['rmi', 'nothing', 'gone:1', 'nothing-either'], { store });
    expect(removed).toMatchObject({ exitCode: 1, stdout: 'Untagged: gone:1\n' });
    expect(removed.stderr).toContain('Image "nothing" is not in the store; Image "nothing-either"');
    expect(await runTbuild(['rmi', '-f', 'nothing'], { store })).toMatchObject({ exitCode: 0, stdout: '' });
    const inspected = await runTbuild(['inspect', 'nothing', 'tool'], { store });
    expect([inspected.exitCode, JSON.parse(inspected.stdout).length]).toEqual([1, 1]);
  });
});

test('save --platform takes one of several platforms, and names a missing one', async () => {
  const store = scratchDirectory('store');
  const tbuild = inStore(store);
  const place = scratchDirectory('saved');
  const context = { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'f' };
  await buildGood(context, { store, args: ['-t', 'multi:1', '--platform', 'linux/amd64,linux/arm64'] });
  await tbuild('save', '--platform', 'linux/arm64', '-o', join(place, 'arm.tar'), 'multi:1');
  const other = inStore(scratchDirectory('store'));
  await other('load', '-i', join(place, 'arm.tar'));
  expect(await other('inspect', '-f', '{{.Architecture}}', 'multi:1')).toBe('arm64\n');
  const missing = await runTbuild(['save', '--platform', 'linux/s390x', '-o', join(place, 'no.tar'), 'multi:1'], {
    store,
  });
  expect([missing.exitCode, existsSync(join(place, 'no.tar'))]).toEqual([1, false]);
  expect(missing.stderr).toContain('has no variant for linux/s390x');
});

describe('beside Docker', needs('docker'), () => {
  // Docker pads an empty last cell.
  const trimmed = (text: string) => text.replaceAll(/ +$/gm, '');

  test('an image is inspected alike', async () => {
    const host = await sharedService('docker');
    const store = scratchDirectory('store');
    const tbuild = inStore(store);
    await buildGood(files, { store, args: ['-t', 'beside:1'], env: { SOURCE_DATE_EPOCH: '1600000000' } });
    await tbuild('save', '-o', join(store, 'image.tar'), 'beside:1');
    await docker(host, ['load', '-i', join(store, 'image.tar')]);
    for (const args of [
      ['images', 'beside'],
      ['images', '--format', 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Size}}', 'beside'],
      ['images', '--no-trunc', '-q', 'beside'],
      ['images', '--format', '{{json .ID}} {{.CreatedAt}}', 'beside'],
      ['history', 'beside:1'],
      ['history', '--no-trunc', '--human=false', 'beside:1'],
      ['history', '--format', '{{.CreatedBy}}|{{.Comment}}|{{.CreatedAt}}', 'beside:1'],
      [
        'image',
        'inspect',
        '-f',
        '{{.Id}} {{.Created}} {{json .Config.Cmd}} {{.Config.Env}} {{.Config.Labels}}',
        'beside:1',
      ],
      [
        'image',
        'inspect',
        '-f',
        '{{json .RootFS.Layers}} {{.Config.Entrypoint}} {{.Author}}{{len .RepoTags}}',
        'beside:1',
      ],
      ['image', 'inspect', '-f', '{{range .Config.Env}}{{println .}}{{end}}{{index .Config.Labels "a"}}', 'beside:1'],
    ])
      expect(trimmed(await tbuild(...args)), args.join(' ')).toBe(trimmed(await docker(host, args)));
    await docker(host, ['rmi', 'beside:1']);
  });

  test('diff finds what docker diff finds after the same commands', async () => {
    const host = await sharedService('docker');
    const store = scratchDirectory('store');
    const change =
      'mkdir -p /new/deep && echo a > /new/deep/file && rm -r /var/spool && echo x >> /etc/passwd && chmod 700 /bin && ln -s a /etc/link && rm /etc/group && mkdir /etc/group';
    const context = { Dockerfile: `FROM busybox\nRUN ${change}\n` };
    await buildGood(context, { store, args: ['-t', 'changed:1'] });
    await buildGood({ Dockerfile: 'FROM busybox\nCMD ["sh"]\n' }, { store, args: ['-t', 'base:1'] });
    await inStore(store)('save', '-o', join(store, 'base.tar'), 'base:1');
    await docker(host, ['load', '-i', join(store, 'base.tar')]);
    await docker(host, ['run', '--name', 'changed', '--net=none', 'base:1', 'sh', '-c', change]);
    const ofDocker = (await docker(host, ['diff', 'changed'])).trim().split('\n').sort();
    const own = (await inStore(store)('diff', '--format', '{{.Kind}} {{.Path}}', 'changed:1'))
      .trim()
      .split('\n')
      .sort();
    const withoutMountPoints = (lines: readonly string[]) => lines.filter((line) => !/ \/(?:dev|proc|sys)$/.test(line));
    expect(withoutMountPoints(own)).toEqual(withoutMountPoints(ofDocker));
    await docker(host, ['rm', 'changed']);
    await docker(host, ['rmi', 'base:1']);
  });
});

describe('a registry', needs('registry'), () => {
  test('receives images by push and returns them by pull', async () => {
    const host = await sharedService('registry');
    const store = scratchDirectory('store');
    const build = await buildGood(files, { store, args: ['--tag', 'local:1'] });
    await inStore(store)('tag', 'local:1', `${host}/commands/app:1`);
    const said = await inStore(store)('push', `${host}/commands/app:1`);
    const raw = JSON.parse(await skopeo(['inspect', '--tls-verify=false', `docker://${host}/commands/app:1`]));
    expect(said).toContain(`digest: ${raw.Digest}`);
    const manifest = JSON.parse(
      await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${host}/commands/app:1`]),
    );
    expect(
      manifest.layers
        .map(({ mediaType }: { mediaType: string }) => mediaType)
        .every((type: string) => type.endsWith('gzip')),
    ).toBe(true);
    const other = scratchDirectory('store');
    expect(await inStore(other)('pull', '-q', `${host}/commands/app:1`)).toBe(`${host}/commands/app:1\n`);
    expect(await idOf(inStore(other), `${host}/commands/app:1`)).toBe(build.id());
    expect(imagesOf(other).flatMap(problemsOf)).toEqual([]);
    // Compressed layers leave as they came.
    await inStore(other)('tag', `${host}/commands/app:1`, `${host}/commands/again:1`);
    expect(await inStore(other)('push', '-q', `${host}/commands/again:1`)).toBe(`${raw.Digest}\n`);
  });

  test('returns one of several platforms, or all', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const [store, whole] = [scratchDirectory('store'), scratchDirectory('store')];
    await inStore(store)('pull', '--platform', 'linux/arm64', base);
    expect(imagesOf(store).map(({ config }) => config.architecture)).toEqual(['arm64']);
    await inStore(whole)('pull', '--all-platforms', base);
    expect(
      imagesOf(whole)
        .map(({ config }) => config.architecture)
        .sort(),
    ).toEqual(['amd64', 'arm64']);
    const missing = await runTbuild(['pull', '--platform', 'linux/s390x', base], { store });
    expect(missing).toMatchObject({ exitCode: 1 });
    expect(missing.stderr).toContain('Choose one of its platforms: linux/amd64, linux/arm64');
  });
});

describe('an archive of another tool', () => {
  let archives: string;
  let id: string;
  beforeAll(async () => {
    archives = scratchDirectory('foreign');
    const build = await buildGood(files, {
      store: scratchDirectory('store'),
      args: [
        '--tag',
        'app:1',
        '-o',
        `type=docker,dest=${archives}/own.tar`,
        '-o',
        `type=oci,tar=false,dest=${archives}/layout`,
      ],
    });
    id = build.id();
  });
  const loadedId = async (archive: string, name: string, ...options: string[]) => {
    const tbuild = inStore(scratchDirectory('store'));
    await tbuild('load', '-i', join(archives, archive), ...options);
    return idOf(tbuild, name);
  };

  test('of skopeo, as docker-archive and oci-archive', async () => {
    await skopeo([
      'copy',
      '--quiet',
      `docker-archive:${archives}/own.tar`,
      `docker-archive:${archives}/skopeo.tar:app:1`,
    ]);
    expect(await loadedId('skopeo.tar', 'app:1')).toBe(id);
    await skopeo(['copy', '--quiet', `oci:${archives}/layout:1`, `oci-archive:${archives}/skopeo-oci.tar:1`]);
    expect(await loadedId('skopeo-oci.tar', 'named:here', '--tag', 'named:here')).toBe(id);
  });

  test('of docker save', needs('docker'), async () => {
    const host = await sharedService('docker');
    await docker(host, ['load', '-i', `${archives}/own.tar`]);
    await docker(host, ['save', '-o', `${archives}/docker.tar`, 'app:1']);
    expect(await loadedId('docker.tar', 'app:1')).toBe(id);
    await docker(host, ['rmi', 'app:1']);
  });

  test('of podman save', needs('podman'), async () => {
    const { podman } = containersTools();
    await podman(['load', '-i', `${archives}/own.tar`]);
    await podman(['save', '--quiet', '-o', `${archives}/podman.tar`, 'docker.io/library/app:1']);
    expect(await loadedId('podman.tar', 'app:1')).toBe(id);
  });

  test('that is truncated or not an archive is refused, and no name is created', async () => {
    const store = scratchDirectory('store');
    const whole = readFileSync(join(archives, 'own.tar'));
    writeFileSync(join(archives, 'short.tar'), whole.subarray(0, whole.length - 40_000));
    await runChecked('tar', ['-cf', join(archives, 'other.tar'), '-C', archives, 'layout/oci-layout']);
    writeFileSync(join(archives, 'text'), 'no archive\n'.repeat(1000));
    for (const name of ['short.tar', 'other.tar', 'text', 'not-there']) {
      const { exitCode, stderr } = await runTbuild(['load', '-i', join(archives, name)], { store });
      expect(exitCode, name).not.toBe(0);
      expect(stderr).toMatch(/^ERROR: .*archive/im);
    }
    expect((await inStore(store)('images')).split('\n')).toHaveLength(2);
  });
});

test.each([['tag', 'one'], ['inspect'], ['push'], ['diff', 'a', 'b', 'c'], ['image', 'lss'], ['images', '-f', 'a=b']])(
  'tbuild %s %s is a usage error',
  async (...args) => {
    const { exitCode, stderr } = await runTbuild(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('hint:');
  },
);
