import { TbuildError } from '@tbuild/errors';
import { expect, test } from 'vitest';
import { parseImageConfig, parseJson, parseManifest } from './index.ts';

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

test('a document with twenty thousand nested lists is refused with an error for users', () => {
  const manifest = Buffer.from(`{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":${nested(20_000)}}`);
  expect(() => parseManifest(manifest)).toThrow(TbuildError);
  expect(() => parseImageConfig(Buffer.from(`{"config":${nested(20_000)}}`))).toThrow(TbuildError);
});

test('a document with many nested lists is read', () => {
  expect(parseJson(nested(400))).toEqual(JSON.parse(nested(400)));
});
