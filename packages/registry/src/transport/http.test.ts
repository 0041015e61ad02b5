import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createFastClock } from '../../test/client.ts';
import { createWebClient, type WebAnswer, type WebClient } from '../index.ts';

/** Sends a byte from time to time, and ends after so many. */
const drip =
  (bytes: number): RequestListener =>
  (_, response) => {
    let sent = 0;
    const timer = setInterval(() => {
      response.write('.');
      if (++sent === bytes) response.end();
    }, 5);
    response.on('close', () => clearInterval(timer));
  };

/** Runs work with a server and a client to which that server is too slow. */
async function withServer<T>(answer: RequestListener, work: (web: WebClient, url: URL) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const leastRate = { bytesPerSecond: 1e6, overMs: 1 };
  await using web = createWebClient({ userAgent: 'test', clock: createFastClock(), leastRate });
  try {
    return await work(web, new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  } finally {
    server.close();
  }
}

async function textOf({ body }: WebAnswer): Promise<string> {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
}

test('a refusal whose body comes byte by byte for ever does not hold up the next attempt', async () => {
  let count = 0;
  const answer: RequestListener = (request, response) =>
    ++count > 1 ? response.end() : drip(Infinity)(request, response.writeHead(503));
  const status = await withServer(
    answer,
    async (web, url) => (await web.send({ method: 'GET', url, headers: {} })).status,
  );
  expect([status, count]).toEqual([200, 2]);
});

test('a slow answer is given up to a GET, but not to a POST, whose server may still be at work', async () => {
  const read = (method: 'GET' | 'POST') =>
    withServer(drip(20), async (web, url) => textOf(await web.send({ method, url, headers: {} })));
  await expect(read('GET')).rejects.toMatchObject({ hint: expect.stringContaining('--min-download-rate') });
  expect(await read('POST')).toBe('.'.repeat(20));
});

test('requests after each other share a connection, also after a HEAD', async () => {
  const ports = new Set<number | undefined>();
  const answer: RequestListener = ({ socket }, response) => {
    ports.add(socket.remotePort);
    response.end();
  };
  await withServer(answer, async (web, url) => {
    for (const method of ['HEAD', 'HEAD', 'GET'] as const)
      await (await web.send({ method, url, headers: {} })).discard();
  });
  expect(ports.size).toBe(1);
});

test('a body in the answer to a HEAD does not get into the answer to the next request', async () => {
  const answer: RequestListener = ({ method, socket }, response) => {
    if (method === 'HEAD') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong');
    else response.end('right');
  };
  await withServer(answer, async (web, url) => {
    await (await web.send({ method: 'HEAD', url, headers: {} })).discard();
    expect(await textOf(await web.send({ method: 'GET', url, headers: {} }))).toBe('right');
  });
});
