import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { expect, test } from 'vitest';
import { startSlowProxy } from './slow-proxy.ts';

test('a slow proxy passes on what it gets, in both directions', async () => {
  const server = createServer((incoming, answer) => incoming.pipe(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  await using proxy = await startSlowProxy(`127.0.0.1:${address.port}`, { bitsPerSecond: 1e9, delayMs: 1 });
  const bytes = Buffer.alloc(300_000, 'abc');
  const asked = request(`http://${proxy.host}/`, { method: 'POST' });
  asked.end(bytes);
  const [answer] = await once(asked, 'response');
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  server.closeAllConnections();
  server.close();
});
