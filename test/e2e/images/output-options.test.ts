import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { imagesOf, type LayoutImage } from '../../support/layout.ts';
import { skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { problemsOf } from '../../support/validate-image.ts';

const files = {
  Dockerfile: 'FROM busybox\nCOPY numbers /numbers\n',
  numbers: Array.from({ length: 20_000 }, (_, at) => `${(at * 7919) % 20_000} is what ${at} gives\n`).join(''),
};
const both = ['--platform', 'linux/amd64,linux/arm64'];

const run = (args: readonly string[], store = scratchDirectory('store')) =>
  runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), ...args, writeFiles(files)], { store });

/** Builds into a layout, validates its images, and returns the index and the images. */
async function layout(options: string, args: readonly string[] = []) {
  const directory = join(scratchDirectory('layout'), 'image');
  good(await run(['-o', `type=oci,tar=false,dest=${directory}${options}`, ...args]));
  const images = imagesOf(directory);
  expect(images.flatMap(problemsOf)).toEqual([]);
  const roots: readonly { digest: string; annotations?: Record<string, string> }[] = JSON.parse(
    readFileSync(join(directory, 'index.json'), 'utf8'),
  ).manifests;
  const documentOf = (digest: string) =>
    JSON.parse(readFileSync(join(directory, 'blobs', digest.replace(':', '/')), 'utf8'));
  return { images, roots, root: documentOf(roots[0]?.digest ?? '') };
}

const layersOf = (image?: LayoutImage) => image?.manifest.layers ?? [];

test('compression-level makes layers larger or smaller, and only the new ones', async () => {
  const [usual, none, best] = [
    await layout(''),
    await layout(',compression-level=0'),
    await layout(',compression-level=9'),
  ];
  const [size, larger, smaller] = [usual, none, best].map(({ images }) => layersOf(images[0])[1]?.size ?? 0);
  expect(larger).toBeGreaterThan(size ?? 0);
  expect(smaller).toBeLessThanOrEqual(size ?? 0);
  expect(layersOf(none.images[0])[0]).toEqual(layersOf(usual.images[0])[0]);
});

test('force-compression recompresses the layers of the base too', async () => {
  const kept = await layout(',compression=uncompressed');
  expect(layersOf(kept.images[0]).map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual(['tar+gzip', 'tar']);
  const forced = await layout(',compression=uncompressed,force-compression=true');
  expect(layersOf(forced.images[0]).map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual(['tar', 'tar']);
  expect(forced.images[0]?.config.rootfs.diff_ids[0]).toBe(kept.images[0]?.config.rootfs.diff_ids[0]);
});

test("oci-mediatypes=false uses Docker's media types, for the index too", async () => {
  const { images, root } = await layout(',oci-mediatypes=false', both);
  expect(root.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json');
  for (const { manifest } of images) {
    expect(manifest.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(new Set(manifest.layers.map(({ mediaType }) => mediaType))).toEqual(
      new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
    );
  }
});

test('name names an output of a build without -t, which wins as with buildx', async () => {
  const names = async (args: readonly string[]) => {
    const { roots } = await layout(',"name=here:1,registry.example/there:2"', args);
    return roots.map(({ annotations }) => annotations?.['io.containerd.image.name']);
  };
  expect(await names([])).toEqual(['docker.io/library/here:1', 'registry.example/there:2']);
  expect(await names(['-t', 'elsewhere:3'])).toEqual(['docker.io/library/elsewhere:3']);
});

describe('annotations', () => {
  test('are added where they are requested', async () => {
    const args = [
      '--annotation',
      'a=manifest',
      '--annotation',
      'index,manifest-descriptor:b=both',
      '--annotation',
      'manifest[linux/arm64]:c=arm',
      '--annotation',
      'index-descriptor:d=root',
    ];
    const { images, root, roots } = await layout(',annotation-index.e=option', [...both, ...args]);
    expect(root.annotations).toEqual({ b: 'both', e: 'option' });
    expect(root.manifests.map(({ annotations }: { annotations: object }) => annotations)).toEqual([
      { b: 'both' },
      { b: 'both' },
    ]);
    expect(roots[0]?.annotations).toMatchObject({ d: 'root' });
    const said = Object.fromEntries(
      images.map(({ config, manifest }) => [config.architecture, (manifest as { annotations?: object }).annotations]),
    );
    expect(said).toEqual({ amd64: { a: 'manifest' }, arm64: { a: 'manifest', c: 'arm' } });
  });

  test('of an index require an index, before anything is built', async () => {
    const ofIndex = ['-o', `type=oci,dest=${scratchDirectory('of-index')}/app.tar`, '--annotation', 'index:a=b'];
    const { exitCode, stderr } = await run(ofIndex);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--annotation "manifest:a=b"');
    expect(stderr).not.toContain('#1');
    good(await run([...ofIndex, '--provenance=true']));
    good(await run([...ofIndex, '--build-arg', 'BUILDKIT_MULTI_PLATFORM=1']));
    expect((await run(['--annotation', 'nonsense'])).exitCode).toBe(2);
  });
});

describe('type=local', () => {
  test('mode=delete leaves only the files of the image, below the working directory', async () => {
    const cwd = scratchDirectory('cwd');
    const build = (...args: readonly string[]) =>
      runTbuild(['build', ...args, writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' })], { cwd });
    writeFiles({ 'out/stale': '', 'out/stale-too/a': '' }, cwd);
    good(await build('-o', 'type=local,dest=out'));
    expect(readdirSync(join(cwd, 'out'))).toEqual(['Dockerfile', 'stale', 'stale-too']);
    good(await build('-o', 'type=local,dest=out,mode=delete'));
    expect(readdirSync(join(cwd, 'out'))).toEqual(['Dockerfile']);
    const elsewhere = writeFiles({ stale: '' });
    const refused = await build('-o', `type=local,dest=${elsewhere},mode=delete`);
    expect([refused.exitCode, readdirSync(elsewhere)]).toEqual([2, ['stale']]);
    expect(refused.stderr).toContain('--allow buildx.local.delete');
    good(await build('-o', `type=local,dest=${elsewhere},mode=delete`, '--allow', 'buildx.local.delete'));
    expect(readdirSync(elsewhere)).toEqual(['Dockerfile']);
  });

  test('attestations get the prefix, and those for images only are left out', async () => {
    const cwd = scratchDirectory('cwd');
    const out = async (name: string, ...args: readonly string[]) => {
      good(await run(['-o', `type=local,dest=${cwd}/${name},attestation-prefix=x.`, '--sbom=true', ...args]));
      return readdirSync(join(cwd, name)).filter((file) => file.endsWith('.json'));
    };
    expect(await out('all', '--provenance=true')).toEqual(['x.provenance.json', 'x.sbom.spdx.json']);
    expect(await out('inline', '--provenance=inline-only=true')).toEqual(['x.sbom.spdx.json']);
  });

  test('platforms without a directory each share one, attestations by platform', async () => {
    const place = join(scratchDirectory('merged'), 'out');
    const context = writeFiles({ Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /bin/tool-$TARGETARCH\n' });
    const output = ['-o', `type=local,dest=${place},platform-split=false`, '--provenance=true'];
    good(await runTbuild(['build', ...both, ...output, context]));
    expect(readdirSync(place)).toEqual(['bin', 'provenance.linux_amd64.json', 'provenance.linux_arm64.json']);
    expect(readdirSync(join(place, 'bin'))).toEqual(['tool-amd64', 'tool-arm64']);
    const archive = ['-o', `type=tar,dest=${place}.tar,platform-split=false`];
    good(await runTbuild(['build', ...both, ...archive, context]));
    expect(await runChecked('tar', ['-tf', `${place}.tar`])).toContain('bin/tool-arm64');
    const refused = await run([...both, '-o', `type=tar,dest=${place}.no,platform-split=false`]);
    expect(refused.stderr).toContain('of linux/amd64 and linux/arm64 cannot share a directory');
    expect(existsSync(`${place}.no`)).toBe(false);
  });
});

test("attestations are artifacts about their image, unless oci-artifact=false or the media types are Docker's", async () => {
  const manifestOf = async (options: string, env = {}) => {
    const directory = join(scratchDirectory('layout'), 'image');
    const args = [
      'build',
      ...baseImageArguments(),
      '--provenance=true',
      '-o',
      `type=oci,tar=false,dest=${directory}${options}`,
    ];
    const built = good(await runTbuild([...args, writeFiles(files)], { env }));
    const read = (digest: string) =>
      JSON.parse(readFileSync(join(directory, 'blobs', digest.replace(':', '/')), 'utf8'));
    const [root] = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')).manifests;
    const [image, said] = read(root.digest).manifests;
    return { image, manifest: read(said.digest), config: read(read(said.digest).config.digest), built };
  };
  const { image, manifest, config } = await manifestOf('');
  expect(manifest).toMatchObject({
    artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json' },
    subject: { mediaType: image.mediaType, digest: image.digest, size: image.size },
  });
  expect(config).toEqual({});
  expect((await manifestOf(',attestation-inline=true')).manifest.artifactType).toBe(manifest.artifactType);
  for (const plain of [
    await manifestOf(',oci-artifact=false'),
    await manifestOf('', { BUILDX_NO_DEFAULT_OCI_ARTIFACT: '1' }),
  ]) {
    expect(plain.manifest.artifactType).toBeUndefined();
    expect(plain.config).toMatchObject({ os: 'unknown', architecture: 'unknown' });
  }
  const { built } = await manifestOf(',oci-mediatypes=false');
  expect(built.stderr).toContain('oci-mediatypes=false is ignored: attestations need');
});

test('unpack and prefer-nondist-layers change no image', async () => {
  const store = scratchDirectory('store');
  const digestWith = async (options: string) => {
    const file = join(scratchDirectory('digest'), 'digest');
    good(await run(['-o', `type=image,name=same:1${options}`, '--digest-file', file], store));
    return readFileSync(file, 'utf8');
  };
  expect(await digestWith(',unpack=true,prefer-nondist-layers=true')).toBe(await digestWith(''));
});

test('name-canonical adds a name with the digest, and dangling-name-prefix names unnamed images', async () => {
  const names = async (...args: readonly string[]) => {
    const store = scratchDirectory('store');
    good(await run(args, store));
    return good(await runTbuild(['images', '--format', 'json'], { store }))
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ Repository, Tag }: Record<string, string>) => `${Repository}:${Tag}`);
  };
  expect(await names('-o', 'type=image,name=app:1,name-canonical=true')).toEqual(['app:1', 'app:1']);
  expect(await names('-o', 'type=image,dangling-name-prefix=none')).toEqual(['none:<none>']);
  expect(await names('-o', 'type=image,dangling-name-prefix=none,danging-name-empty-only=true', '-t', 'a')).toEqual([
    'a:latest',
  ]);
});

test('digests are written to files, as kaniko writes them', async () => {
  const place = scratchDirectory('digests');
  const names = ['-t', 'app:1', '-t', 'app:2', '-t', 'registry.example/team/app:3'];
  const kinds = ['digest-file', 'image-name-with-digest-file', 'image-name-tag-with-digest-file'];
  const asked = kinds.flatMap((kind) => [`--${kind}`, join(place, kind)]);
  good(await run([...names, ...asked, '--metadata-file', join(place, 'metadata')]));
  const digest = JSON.parse(readFileSync(join(place, 'metadata'), 'utf8'))['containerimage.digest'];
  expect(kinds.map((kind) => readFileSync(join(place, kind), 'utf8'))).toEqual([
    digest,
    `docker.io/library/app@${digest}\nregistry.example/team/app@${digest}\n`,
    `docker.io/library/app:1@${digest}\ndocker.io/library/app:2@${digest}\nregistry.example/team/app:3@${digest}\n`,
  ]);
  const { exitCode, stderr } = await run(['-o', join(place, 'tree'), '--digest-file', join(place, 'none')]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('No image was produced');
});

test('--quiet prints no image ID behind an archive on standard output', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: 'one' });
  const archive = async (...args: readonly string[]) => good(await runTbuild(['build', ...args, '-o', '-', context]));
  const { stdout } = await archive('--progress=none');
  expect(stdout).toContain('ustar');
  expect(await archive('--quiet')).toMatchObject({ stdout, stderr: '' });
});

describe('before anything is built', () => {
  const dockerfile = 'FROM scratch\nCOPY missing /\n';
  const refused = (args: readonly string[], env = {}) =>
    runTbuild(['build', ...args, writeFiles({ Dockerfile: dockerfile })], { cwd: scratchDirectory('cwd'), env });

  test.each([
    [['-o', 'type=oci,tar=false'], 'dest= is required'],
    [['-o', '-', '-o', 'type=oci'], 'Two outputs cannot both go to standard output'],
    [['-o', 'type=tar,dest=a', '-o', 'type=oci,dest=a'], 'Two outputs cannot both go to'],
    [['-o', 'type=docker,context=absent'], 'Docker has no context "absent"'],
    [['--load', '-o', 'type=image,compresion=gzip'], 'Did you mean compression=?'],
    [['--destination', 'registry.example/app:1'], 'hint: Use -t NAME --push'],
    [['--tar-path', 'image.tar'], 'hint: Use -o type=docker,dest=FILE'],
    [['--skip-tls-verify'], 'hint: Use --insecure-registry HOST'],
  ])('%j is refused', async (args, message) => {
    const { exitCode, stderr } = await refused(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('missing');
  });

  const isOld = !('createZstdCompress' in zlib) && !('TBUILD_NODE' in process.env);
  test('zstd that Node lacks is refused', needs({ met: isOld, lacks: 'a Node without zstd' }), async () => {
    for (const args of [
      ['-o', 'type=oci,dest=a.tar,compression=zstd'],
      ['--cache-to', 'type=local,dest=a,compression=zstd'],
    ]) {
      const { stderr } = await refused(args);
      expect(stderr).toContain('cannot compress layers with zstd');
      expect(stderr).not.toContain('missing');
    }
  });
});

describe('type=registry', needs('registry'), () => {
  test('push-by-digest creates no tag, and the metadata file has the digest', async () => {
    const host = await sharedService('registry');
    const store = scratchDirectory('store');
    const metadata = join(store, 'metadata.json');
    good(
      await run(
        ['-o', `type=image,name=${host}/by/digest,push-by-digest=true,push=true`, '--metadata-file', metadata],
        store,
      ),
    );
    const digest = JSON.parse(readFileSync(metadata, 'utf8'))['containerimage.digest'];
    const raw = JSON.parse(
      await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${host}/by/digest@${digest}`]),
    );
    expect(raw.layers).toHaveLength(2);
    await expect(skopeo(['inspect', '--tls-verify=false', `docker://${host}/by/digest:latest`])).rejects.toThrow();
    expect(good(await runTbuild(['images', '-q'], { store })).stdout).toBe('');
  });

  test('store=false pushes the image and leaves none in the store', async () => {
    const host = await sharedService('registry');
    const store = scratchDirectory('store');
    good(await run(['-o', 'type=registry,store=false', '-t', `${host}/not/stored:1`], store));
    await skopeo(['inspect', '--tls-verify=false', `docker://${host}/not/stored:1`]);
    expect(existsSync(join(store, 'index.json'))).toBe(false);
  });
});
