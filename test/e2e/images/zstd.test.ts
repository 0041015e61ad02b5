import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseImage, baseImageArguments } from '../../support/base-images.ts';
import { imagesOf, readBlob } from '../../support/layout.ts';
import { otherNodes, withNode } from '../../support/nodes.ts';
import { skopeo } from '../../support/peers.ts';
import { ranIn } from '../../support/plain-progress.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, good, type InlineBuild, runTbuild, writeFiles } from '../../support/tbuild.ts';

/** Node 20 lacks zstd, so tbuild runs the zstd program. */
const nodes = [{ name: 'the Node of the tests', path: undefined }, ...otherNodes];

/** Creates an image whose zstd layers have a frame for each file, and skippable frames, as Fedora's do. */
async function chunkedImage(): Promise<string> {
  const layout = scratchDirectory('chunked');
  const options = ['copy', '--quiet', '--dest-compress-format', 'zstd:chunked'];
  await skopeo([...options, `oci:${baseImage('busybox')}`, `oci:${layout}:base`]);
  return layout;
}

/** Builds on an image of a layout; a shell condition checks its content. */
async function buildOn(layout: string, condition: string, node: string | undefined): Promise<InlineBuild> {
  const files = { Dockerfile: `FROM base\nRUN ${condition}\n` };
  const args = ['--build-context', `base=oci-layout://${layout}`];
  return buildInline(files, { store: scratchDirectory('store'), args, env: withNode(node) });
}

test('every Node reads a base whose layers have many zstd frames', needs('skopeo'), async () => {
  const layout = await chunkedImage();
  for (const { name, path } of nodes)
    expect(await buildOn(`${layout}:base`, 'test -e /bin/zcat', path), name).toMatchObject({ exitCode: 0 });
});

test.each(otherNodes)('zstd layers made by $name are readable by the zstd program and every Node', async ({ path }) => {
  const place = scratchDirectory('archive');
  const context = writeFiles({
    Dockerfile: 'FROM busybox\nCOPY . /files\n',
    text: 'line\n'.repeat(1_000_000),
    one: '1',
  });
  const output = ['--output', `type=oci,dest=${place}/layout,tar=false,compression=zstd,force-compression=true`];
  good(
    await runTbuild(['build', ...baseImageArguments(), ...output, '--tag', 'app', context], {
      store: scratchDirectory('store'),
      env: withNode(path),
    }),
  );
  const [image] = imagesOf(join(place, 'layout'));
  const layers = image?.manifest.layers ?? [];
  expect(layers.map(({ mediaType }) => mediaType)).toEqual(
    Array.from({ length: 2 }, () => 'application/vnd.oci.image.layer.v1.tar+zstd'),
  );
  const unpacked = layers.map((layer) =>
    execFileSync('zstd', ['-dc'], { input: readBlob(join(place, 'layout'), layer), maxBuffer: 1 << 28 }),
  );
  const digests = unpacked.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  expect(digests).toEqual(image?.config.rootfs.diff_ids);
  for (const reader of nodes)
    expect(
      await buildOn(join(place, 'layout'), 'test "$(wc -l < /files/text)" = 1000000', reader.path),
      reader.name,
    ).toMatchObject({ exitCode: 0 });
});

test.each(otherNodes)('a cache of zstd layers that $name makes gives an empty store every step', async ({ path }) => {
  const cache = join(scratchDirectory('cache'), 'made');
  const files = { Dockerfile: 'FROM busybox AS a\nRUN echo 1 > /1\nFROM busybox\nCOPY --from=a /1 /2\n' };
  const build = (...args: string[]) =>
    buildGood(files, { store: scratchDirectory('store'), args, env: withNode(path) });
  const first = await build('--cache-to', `type=local,dest=${cache},mode=max,compression=zstd`);
  const next = await build('--cache-from', `type=local,src=${cache}`);
  expect(ranIn(next.stderr)).toEqual([]);
  expect(next.id()).toBe(first.id());
  const layers = imagesOf(cache).flatMap(({ manifest }) => manifest.layers.map(({ mediaType }) => mediaType));
  expect(layers.filter((type) => type.includes('.layer.')).every((type) => type.endsWith('+zstd'))).toBe(true);
});

test.each(nodes)('$name reports a damaged zstd layer', async ({ path }) => {
  const lines = Array.from({ length: 1_000_000 }, (_, index) => `${index * 7919}\n`).join('');
  const context = writeFiles({ Dockerfile: 'FROM scratch\nADD files.tar.zst /\n', file: lines });
  await runChecked('tar', ['--zstd', '-cf', 'files.tar.zst', 'file'], { cwd: context });
  const bytes = readFileSync(join(context, 'files.tar.zst'));
  bytes.fill(0xff, bytes.length >> 1);
  writeFileSync(join(context, 'files.tar.zst'), bytes);
  const { exitCode, stderr } = await runTbuild(['build', context], { env: withNode(path) });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('compressed data is damaged');
  expect(stderr).toContain('>>> ADD files.tar.zst /');
});
