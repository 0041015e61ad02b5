import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { parseReference } from '@tbuild/oci';
import { expect, test } from 'vitest';
import { startRegistry } from '../../../test/support/registry.ts';
import { canRunRegistry } from '../../../test/support/requirements.ts';
import { createTestClient } from '../test/client.ts';

test.runIf(canRunRegistry)('a registry is reached through the proxy, loopback and excepted hosts are not', async () => {
  await using registry = await startRegistry();
  const port = Number(registry.host.split(':')[1]);
  const asked: (string | undefined)[] = [];
  // Every name leads to the one registry.
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url);
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  {
    await using client = createTestClient({
      insecure: () => true,
      proxy: { http: url, https: url, none: 'direct.invalid' },
    });
    const ask = (host: string) => client.openRepository(parseReference(`${host}/app`)).resolve('1');
    await expect(ask('far.invalid:80')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(new Set(asked)).toEqual(new Set(['far.invalid:80']));
    await expect(ask(registry.host)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask('direct.invalid')).rejects.toMatchObject({ message: 'Registry direct.invalid has no address' });
    expect(new Set(asked)).toEqual(new Set(['far.invalid:80']));
  }
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});
