import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { copyImage, createLocalStore, createMemoryStore, createRefs, openLayout, readWhole } from '@tbuild/content';
import { createLayerVariants, type VariantStore } from '@tbuild/layers';
import { digestOf, formatReference, isIndex, parseManifest, type Descriptor, type Manifest } from '@tbuild/oci';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { dockerArchive } from './archive/docker-archive.ts';
import { ociArchive, ociLayout } from './archive/oci-archive.ts';
import { imageStore } from './image-store.ts';
import { amd64, arm64, noReport, noSignal, testResult } from './test-image.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-exporter-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const fresh = (): string => join(directory, String(count++));
const variantStore = (root: string): VariantStore => ({
  content: createLocalStore(root),
  variants: createLayerVariants(storeLayout(root)),
});

function unpacked(archive: string): string {
  const target = fresh();
  execFileSync('mkdir', [target]);
  execFileSync('tar', ['-xf', archive, '-C', target]);
  return target;
}

async function manifestOf(layout: string, name?: string): Promise<Manifest> {
  const { provider, resolve } = await openLayout(layout);
  const root = await resolve(name);
  // Reads and verifies everything.
  await copyImage(root, { from: provider, to: createMemoryStore() });
  const document = parseManifest(await readWhole(provider, root), root.mediaType);
  if (isIndex(document)) throw new Error('An index');
  return document;
}

test('a docker archive is an OCI layout with the manifest.json that docker load reads', async () => {
  const archive = fresh();
  const result = await testResult(['app:1', 'localhost:5000/a/b:2']);
  const exported = await dockerArchive({ destination: archive }).export(result, noReport, noSignal);
  const layout = unpacked(archive);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(layout, name), 'utf8'));
  const manifest = await manifestOf(layout, 'app:1');
  expect(read('manifest.json')).toEqual([
    {
      Config: `blobs/sha256/${manifest.config.digest.slice(7)}`,
      RepoTags: ['app:1', 'localhost:5000/a/b:2'],
      Layers: manifest.layers.map((layer) => `blobs/sha256/${layer.digest.slice(7)}`),
    },
  ]);
  expect(exported).toEqual({
    destination: archive,
    manifest: await (await openLayout(layout)).resolve('app:1'),
    images: [{ config: manifest.config.digest, manifest: expect.stringMatching(/^sha256:/) }],
  });
  expect(manifest.layers[1]?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar');
  expect(digestOf(readFileSync(join(layout, 'blobs/sha256', manifest.layers[1]?.digest.slice(7) ?? '')))).toBe(
    result.images[0]?.image.layers[1]?.diffId,
  );
});

test('the same result gives the same archive', async () => {
  const [a, b] = [fresh(), fresh()];
  for (const destination of [a, b])
    await dockerArchive({ destination }).export(await testResult(['app']), noReport, noSignal);
  expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
});

test('a docker archive of several platforms is refused', async () => {
  const exporting = dockerArchive({ destination: fresh() }).export(
    await testResult([], [amd64, arm64]),
    noReport,
    noSignal,
  );
  await expect(exporting).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    hint: 'Use -o type=oci, or build one platform',
  });
});

test('an archive is written to a stream', async () => {
  const stream = new PassThrough();
  const reading = stream.toArray();
  await dockerArchive({ destination: stream }).export(await testResult(['app']), noReport, noSignal);
  stream.end();
  const archive = fresh();
  writeFileSync(archive, Buffer.concat(await reading));
  expect((await manifestOf(unpacked(archive))).layers.length).toBe(2);
});

test('layers of an OCI archive are gzipped, once for several exports', async () => {
  const store = variantStore(fresh());
  const archive = fresh();
  const result = await testResult(['app:1']);
  await ociArchive({ destination: archive, store }).export(result, noReport, noSignal);
  const layout = unpacked(archive);
  const [base, top] = (await manifestOf(layout)).layers;
  expect(base).toEqual(result.images[0]?.image.layers[0]?.descriptor);
  expect(top?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
  const bytes = gunzipSync(readFileSync(join(layout, 'blobs/sha256', top?.digest.slice(7) ?? '')));
  const diffId = result.images[0]?.image.layers[1]?.diffId ?? 'sha256:';
  expect(digestOf(bytes)).toBe(diffId);
  expect(store.variants.get(diffId, 'gzip')?.digest).toBe(top?.digest);
  const withoutLayers = { ...result, content: createMemoryStore() };
  await store.content.write(await result.content.read(base as Descriptor));
  await ociArchive({ destination: fresh(), store }).export(withoutLayers, noReport, noSignal);
});

test('several platforms become an index in an OCI archive', async () => {
  const destination = fresh();
  await ociLayout({ destination, store: variantStore(fresh()) }).export(
    await testResult(['app:1'], [amd64, arm64]),
    noReport,
    noSignal,
  );
  const { provider, resolve } = await openLayout(destination);
  const index = parseManifest(await readWhole(provider, await resolve('1')));
  expect(isIndex(index) && index.manifests.map((manifest) => manifest.platform)).toEqual([amd64, arm64]);
  expect(readdirSync(destination).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
});

test('an existing layout gains the image, which replaces one of the same name', async () => {
  const destination = fresh();
  const store = variantStore(fresh());
  for (const name of ['app:1', 'app:2', 'app:1']) {
    await ociLayout({ destination, store }).export(await testResult([name]), noReport, noSignal);
  }
  const index: { manifests: Descriptor[] } = JSON.parse(readFileSync(join(destination, 'index.json'), 'utf8'));
  expect(index.manifests.map(({ annotations }) => annotations?.['io.containerd.image.name'])).toEqual([
    'docker.io/library/app:2',
    'docker.io/library/app:1',
  ]);
});

test('a failed export of an archive leaves no file', async () => {
  const parent = fresh();
  execFileSync('mkdir', [parent]);
  const broken = { ...(await testResult(['app'])), content: createMemoryStore() };
  const store = variantStore(fresh());
  for (const exporter of [
    dockerArchive({ destination: join(parent, 'docker') }),
    ociArchive({ destination: join(parent, 'oci'), store, compression: 'uncompressed' }),
    ociLayout({ destination: join(parent, 'layout'), store }),
  ]) {
    await expect(exporter.export(broken, noReport, noSignal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(readdirSync(parent)).toEqual([]);
});

test('an archive below a file fails with the reason', async () => {
  const file = fresh();
  writeFileSync(file, '');
  const exporting = dockerArchive({ destination: join(file, 'x') }).export(await testResult([]), noReport, noSignal);
  await expect(exporting).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(/^Cannot write the output ".*": a parent is not a directory$/),
  });
});

test('the image store holds every blob before it sets the name', async () => {
  const root = fresh();
  const content = createLocalStore(root);
  const refs = createRefs(storeLayout(root));
  const items: string[] = [];
  const result = await testResult(['app:1', 'app:2'], [amd64, arm64]);
  const exported = await imageStore({ content, refs }).export(result, (item) => items.push(item), noSignal);
  expect(refs.list().map(({ reference, target }) => [formatReference(reference), target.digest])).toEqual([
    ['docker.io/library/app:1', exported.manifest?.digest],
    ['docker.io/library/app:2', exported.manifest?.digest],
  ]);
  await copyImage(refs.list()[0]?.target as Descriptor, { from: content, to: createMemoryStore() });
  expect(items).toContain('naming to docker.io/library/app:1');
});
