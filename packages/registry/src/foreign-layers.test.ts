import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readWhole } from '@tbuild/content';
import { digestOf, parseReference } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { startRegistry } from '../../../test/support/registry.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createTestClient } from '../test/client.ts';

test(
  'a layer that its registry lacks is read where its descriptor says, verified and without credentials',
  needs('registry'),
  async () => {
    await using registry = await startRegistry({ auth: { username: 'someone', password: 'secret' } });
    const bytes = Buffer.from('a layer that may not be redistributed');
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.statusCode = request.url === '/gone' ? 404 : 200;
      response.end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    {
      await using client = createTestClient({
        credentials: async () => ({ kind: 'password', username: 'someone', password: 'secret' }),
      });
      const repository = client.openRepository(parseReference(`${registry.host}/app`));
      const layer = {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: digestOf(bytes),
        size: bytes.length,
      };
      expect(
        await readWhole(repository, {
          ...layer,
          urls: ['ftp://127.0.0.1/x', 'https://[', `${at}/gone`, `${at}/layer`],
        }),
      ).toEqual(bytes);
      expect(seen).toEqual([undefined, undefined]);
      const other = Buffer.from('something else of the same length ...');
      await expect(
        readWhole(repository, { ...layer, digest: digestOf(other), urls: [`${at}/layer`] }),
      ).rejects.toMatchObject({ message: expect.stringContaining('sha256') });
      await expect(readWhole(repository, layer)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await new Promise((resolve) => server.close(resolve));
  },
);
