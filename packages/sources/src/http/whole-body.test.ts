import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebClient } from '@tbuild/registry';
import { expect, test } from 'vitest';
import { wholeBody } from './whole-body.ts';

const TEXT = 'abcdefghij'.repeat(1000);
const clock = { now: () => Date.now(), sleep: async () => {} };

/** Sends the first 4000 bytes of the text and breaks the connection, then the rest up to a byte, then nothing. */
async function startServer(end: number) {
  let count = 0;
  const server = createServer((_, response) => {
    count++;
    response.setHeader('etag', '"1"');
    if (count > 2) return response.writeHead(416).end();
    const [from, to] = count === 1 ? [0, TEXT.length] : [4000, end];
    response.setHeader('content-length', to - from);
    if (count === 1) return response.write(TEXT.slice(0, 4000), () => setTimeout(() => response.destroy(), 20));
    response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${TEXT.length}` });
    return response.end(TEXT.slice(from, to));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/file`);
  return { url, [Symbol.dispose]: () => void server.close() };
}

async function download(end: number): Promise<string> {
  using server = await startServer(end);
  await using web = createWebClient({ userAgent: 'test', clock });
  const { signal } = new AbortController();
  const ask = (headers: Readonly<Record<string, string>>) => web.get(server.url, headers, signal);
  let text = '';
  for await (const chunk of wholeBody(await ask({}), { web, ask, shown: 'http://server/file', signal }))
    text += Buffer.from(chunk).toString();
  return text;
}

test('a file whose server sends only a part of the rest after a broken connection is refused', async () => {
  expect(await download(TEXT.length)).toBe(TEXT);
  await expect(download(7000)).rejects.toMatchObject({
    code: 'REGISTRY',
    message: 'File "http://server/file" has 7000 bytes, expected 10000',
  });
});
