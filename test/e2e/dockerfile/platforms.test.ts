import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { builders } from '../../support/builders.ts';
import { imagesOf, readLayer, type LayoutImage } from '../../support/layout.ts';
import { skopeo } from '../../support/peers.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { treeOfLayers } from '../../support/tree.ts';
import { problemsOf } from '../../support/validate-image.ts';

const both = ['--platform', 'linux/amd64,linux/arm64'];

/** No step of this Dockerfile runs foreign programs. */
const crossBuild = {
  Dockerfile: `FROM --platform=$BUILDPLATFORM busybox AS build
RUN echo once > /once && uname -m > /machine
ARG TARGETARCH
RUN echo $TARGETARCH > /target
FROM busybox
COPY --from=build /once /machine /target /built/
`,
};

const build = (files: Record<string, string>, args: readonly string[], options = {}) =>
  runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), ...args, writeFiles(files)], {
    store: scratchDirectory('store'),
    ...options,
  });

const architectures = (images: readonly LayoutImage[]) => images.map(({ config }) => config.architecture).sort();
const treeOf = ({ layout, manifest }: LayoutImage) =>
  treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));

describe.each(builders)('several platforms built by $who', ({ asUser }) => {
  const directory = (purpose: string) => (asUser ? userDirectory(purpose) : scratchDirectory(purpose));

  test('share equal steps, run stages of the build platform natively, and form one index in the store', async () => {
    const store = directory('store');
    const { stderr } = good(await build(crossBuild, [...both, '--tag', 'multi:1'], { store, asUser }));
    expect(new Set(stderr.match(/^#\d+ (?=\[.*RUN echo once)/gm))).toHaveProperty('size', 1);
    expect(stderr).toMatch(/\[linux\/amd64->arm64 build 3\/3\] RUN/);
    const images = imagesOf(store);
    expect(architectures(images)).toEqual(['amd64', 'arm64']);
    for (const image of images) {
      expect(problemsOf(image)).toEqual([]);
      expect(treeOf(image).readText('/built/target')).toBe(`${image.config.architecture}\n`);
      expect(treeOf(image).readText('/built/once')).toBe('once\n');
    }
    const listed = good(await runTbuild(['images'], { store, asUser })).stdout;
    expect(listed).toMatch(/^multi +1 /m);
  });

  test('get a directory each in local and tar outputs', async () => {
    const place = directory('outputs');
    good(
      await build(crossBuild, [...both, '-o', join(place, 'tree'), '-o', `type=tar,dest=${place}/all.tar`], {
        store: directory('store'),
        asUser,
      }),
    );
    expect(readdirSync(join(place, 'tree')).sort()).toEqual(['linux_amd64', 'linux_arm64']);
    expect(readFileSync(join(place, 'tree/linux_arm64/built/target'), 'utf8')).toBe('arm64\n');
    expect(await runChecked('tar', ['-xOf', `${place}/all.tar`, 'linux_arm64/built/target'])).toBe('arm64\n');
    expect(await runChecked('tar', ['-tvf', `${place}/all.tar`, 'linux_amd64/bin/sh'])).toContain('linux_amd64/');
  });
});

test('OCI archives and layouts hold the index; the metadata file and the ID name it', async () => {
  const place = scratchDirectory('oci');
  const outputs = ['-o', `type=oci,dest=${place}/all.tar`, '-o', `type=oci,tar=false,dest=${place}/layout`];
  const files = ['--metadata-file', `${place}/metadata.json`, '--iidfile', `${place}/id`];
  good(await build(crossBuild, [...both, '--tag', 'multi:1', ...outputs, ...files]));
  mkdirSync(`${place}/unpacked`);
  await runChecked('tar', ['-xf', `${place}/all.tar`, '-C', `${place}/unpacked`]);
  for (const layout of ['unpacked', 'layout']) {
    const images = imagesOf(join(place, layout));
    expect(architectures(images)).toEqual(['amd64', 'arm64']);
    expect(images.flatMap(problemsOf)).toEqual([]);
  }
  const [root] = JSON.parse(readFileSync(`${place}/layout/index.json`, 'utf8')).manifests;
  const metadata = JSON.parse(readFileSync(`${place}/metadata.json`, 'utf8'));
  expect(metadata['containerimage.digest']).toBe(root.digest);
  expect(metadata['containerimage.descriptor']).toMatchObject({
    mediaType: root.mediaType,
    digest: root.digest,
    size: root.size,
  });
  expect(metadata['image.name']).toBe('docker.io/library/multi:1');
  expect(metadata['containerimage.config.digest']).toBeUndefined();
  expect(readFileSync(`${place}/id`, 'utf8')).toBe(root.digest);
});

describe('a registry', needs('registry'), () => {
  test('receives the index, and each platform can be pulled again as a base', async () => {
    const host = await sharedService('registry');
    const name = `${host}/platforms/multi:1`;
    good(await build(crossBuild, [...both, '--tag', name, '--push']));
    const raw = JSON.parse(await skopeo(['inspect', '--raw', '--tls-verify=false', `docker://${name}`]));
    expect(raw.manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture)).toEqual([
      'amd64',
      'arm64',
    ]);
    const copy = join(scratchDirectory('pulled'), 'layout');
    await skopeo(['copy', '--quiet', '--all', '--src-tls-verify=false', `docker://${name}`, `oci:${copy}:1`]);
    expect(imagesOf(copy).flatMap(problemsOf)).toEqual([]);
    const store = scratchDirectory('store');
    good(
      await build(
        { Dockerfile: `FROM ${name}\nCOPY --from=${name} /built/target /again\n` },
        [...both, '--tag', 'next:1'],
        { store },
      ),
    );
    for (const image of imagesOf(store))
      expect(treeOf(image).readText('/again')).toBe(`${image.config.architecture}\n`);
  });
});

test.each([
  ['type=docker,dest=x.tar', /A docker archive holds the image of one platform/],
  ['type=docker', /loads the image of one platform|Docker does not answer/],
])('%s refuses several platforms before anything is built', async (spec, message) => {
  const place = scratchDirectory('refused');
  const refused = await build(crossBuild, [...both, '-o', spec], { cwd: place });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(message);
  expect(refused.stderr).not.toContain('RUN');
  expect(existsSync(join(place, 'x.tar'))).toBe(false);
});

test('a platform given twice is built once, and a single image has no index', async () => {
  const store = scratchDirectory('store');
  good(
    await build(crossBuild, ['--platform', 'linux/amd64', '--platform', 'amd64,linux/amd64/v1', '--tag', 'one:1'], {
      store,
    }),
  );
  const [root] = JSON.parse(readFileSync(join(store, 'index.json'), 'utf8')).manifests;
  expect(root.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
});

test('a base image that lacks the platform is reported with those that it has', async () => {
  const { exitCode, stderr } = await build({ Dockerfile: 'FROM busybox\n' }, ['--platform', 'linux/s390x']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/Image "oci-layout:.*\/busybox" has no variant for linux\/s390x/);
  expect(stderr).toContain('Choose one of its platforms: linux/amd64, linux/arm64');
});
