import { copyImage, createMemoryStore } from '@tbuild/content';
import { parseReference } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { freePort } from '../../../test/support/daemon.ts';
import { startRegistry } from '../../../test/support/registry.ts';
import { canRunRegistry } from '../../../test/support/requirements.ts';
import { createTestClient, makeImage } from '../test/client.ts';

test.runIf(canRunRegistry)('images come from the mirror that has them, else from the registry itself', async () => {
  await using origin = await startRegistry();
  await using mirror = await startRegistry();
  const down = `127.0.0.1:${await freePort()}`;
  await using direct = createTestClient();
  await using client = createTestClient({
    mirrors: (registry) => (registry === origin.host ? [down, `${mirror.host}/proxy`] : []),
  });
  const { store, index } = await makeImage();

  const copy = direct.openRepository(parseReference(`${mirror.host}/proxy/team/app`));
  await copyImage(store, copy, index);
  await copy.tag(index, '1');
  const repository = client.openRepository(parseReference(`${origin.host}/team/app`));
  const resolved = await repository.resolve('1');
  expect(resolved).toEqual(index);
  const pulled = createMemoryStore();
  await copyImage(repository, pulled, resolved);
  expect(await pulled.has(index.digest)).toBe(true);

  const other = client.openRepository(parseReference(`${origin.host}/team/other`), 'push');
  await copyImage(store, other, index);
  await other.tag(index, '2');
  const read = client.openRepository(parseReference(`${origin.host}/team/other`));
  expect(await read.has(index.digest, index.mediaType)).toBe(true);
  await copyImage(read, createMemoryStore(), await read.resolve('2'));
  await expect(read.resolve('3')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: `Image ${origin.host}/team/other:3 is not in the registry (404 MANIFEST_UNKNOWN)`,
  });
});
