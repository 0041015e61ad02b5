import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStore } from '@tbuild/content';
import { TbuildError } from '@tbuild/errors';
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
  const loading = loadImages(
    (async function* () {
      yield archive;
    })(),
    { content: createLocalStore(directory) },
    new AbortController().signal,
  );
  await expect(loading).rejects.toBeInstanceOf(TbuildError);
});
