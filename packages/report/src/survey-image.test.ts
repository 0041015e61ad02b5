import { createMemoryStore, fromBytes } from '@tbuild/content';
import { digestOf, MediaType } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { type NewMember, tarOf } from '../../../test/support/write-tar.ts';
import { surveyImage } from './survey-image.ts';

async function survey(...layers: readonly (readonly NewMember[])[]) {
  const content = createMemoryStore();
  const descriptors = await Promise.all(
    layers.map(async (members) => ({
      mediaType: MediaType.layer,
      ...(await content.write(fromBytes(tarOf(members)))),
    })),
  );
  const image = {
    descriptor: { digest: digestOf('manifest') },
    manifest: { layers: descriptors },
    config: { platform: { os: 'linux', architecture: 'amd64' }, history: [] },
  };
  return surveyImage(image, 'app', { content, signal: new AbortController().signal });
}

const big = 'x'.repeat(5000);

test('a survey finds the largest files, and those that a later layer deletes, hides or replaces', async () => {
  const { layers, wasted, largest } = await survey(
    [
      { name: 'a/deleted', data: big },
      { name: 'a/kept', data: 'kept' },
      { name: 'b/hidden/x', data: 'hidden' },
      { name: 'c/replaced', data: 'old' },
      { name: 'd/below/y', data: 'gone' },
    ],
    [
      { name: 'a/.wh.deleted' },
      { name: 'b/hidden/.wh..wh..opq' },
      { name: 'b/hidden/z', data: 'new' },
      { name: 'c/replaced', data: 'newer' },
      { name: '.wh.d' },
    ],
  );
  expect(wasted.map(({ path, layer }) => `${layer} ${path}`)).toEqual([
    '0 /a/deleted',
    '0 /b/hidden/x',
    '0 /d/below/y',
    '0 /c/replaced',
  ]);
  expect(largest[0]).toEqual({ path: '/a/deleted', layer: 0, bytes: 5000 });
  const [name, bytes, waste, children] = layers[0]!.tree;
  expect([name, bytes, waste]).toEqual(['/', 5017, 5013]);
  expect(children?.map(([child]) => child)).toEqual(['a', 'b', 'd', 'c']);
});

test('a survey finds contents that are there more than once, and says what would save space', async () => {
  const cache = 'y'.repeat(2_000_000);
  const { duplicates, advice } = await survey(
    [
      { name: 'one', data: big },
      { name: 'app/node_modules/.cache/x', data: cache },
    ],
    [{ name: 'two', data: big }],
  );
  expect(duplicates).toEqual([{ paths: ['/one', '/two'], bytes: 5000 }]);
  expect(advice).toEqual(['/app/node_modules/.cache: 2\u00a0MB; add it to .dockerignore, or use a cache mount']);
});
