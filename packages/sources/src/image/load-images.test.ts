import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore, fromBytes } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
import { encodeImage, encodeIndex, type Descriptor, type EncodedDocument } from '@tbuild/oci';
import { afterAll, expect, test } from 'vitest';
import { tarOf } from '../../../../test/support/write-tar.ts';
import { loadImages } from '../index.ts';

const directory = mkdtempSync(join(tmpdir(), 'load-images-'));
afterAll(() => rmSync(directory, { recursive: true }));

const CONFIG = '{"os":"linux","architecture":"amd64","config":{},"rootfs":{"type":"layers","diff_ids":[]}}';

test.each([
  ['null', '[null]'],
  ['a number', '[1]'],
  ['no configuration', '[{}]'],
  ['a configuration that is no name', '[{"Config":{"toString":1}}]'],
  ['a name that is no text', '[{"Config":"c","RepoTags":[{"toString":1}]}]'],
])('an archive whose manifest.json has %s is refused with an error for users', async (_, manifest) => {
  const archive = tarOf([
    { name: 'manifest.json', data: manifest },
    { name: 'c', data: CONFIG },
  ]);
  const local = { content: createLocalStore(directory) };
  const loading = loadImages(fromBytes(archive), local, new AbortController().signal);
  await expect(loading).rejects.toBeInstanceOf(TbuildError);
});

test('an archive whose indexes name each other many times is read', async () => {
  const blobs: { name: string; data: Uint8Array }[] = [];
  const put = ({ bytes, descriptor }: EncodedDocument): Descriptor => {
    blobs.push({ name: `blobs/${descriptor.digest.replace(':', '/')}`, data: bytes });
    return descriptor;
  };
  const image = encodeImage({ platform: { os: 'linux', architecture: 'amd64' }, config: {}, layers: [], history: [] });
  put(image.config);
  let root = put(image.manifest);
  for (let level = 0; level < 20; level++) root = put(encodeIndex(Array.from({ length: 20 }, () => root)));
  const archive = tarOf([{ name: 'index.json', data: encodeIndex([root]).bytes }, ...blobs]);
  const { signal } = new AbortController();
  const [loaded] = await loadImages(fromBytes(archive), { content: createLocalStore(directory) }, signal);
  expect(loaded?.target.digest).toBe(root.digest);
});
