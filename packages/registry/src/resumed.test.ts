import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createFastClock } from '../test/client.ts';
import { bytesFrom, createWebClient, rangeFrom, resumed } from './index.ts';

const TEXT = 'abcdefghij'.repeat(1000);

/** Downloads the text from a server. Returns it with the ranges that were asked for. */
async function download(answer: (count: number) => RequestListener, size?: number) {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(ranges.length)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const clock = createFastClock();
  await using web = createWebClient({ userAgent: 'test', clock });
  try {
    const open = async (offset: number) =>
      bytesFrom(await web.send({ method: 'GET', url, headers: rangeFrom(offset) }), offset);
    let text = '';
    for await (const chunk of resumed(open, { clock, size })) text += Buffer.from(chunk).toString();
    return { text, ranges };
  } finally {
    server.close();
  }
}

/** Sends the text in chunks without its end. */
const broken =
  (length: number): RequestListener =>
  (_, response) =>
    void response.write(TEXT.slice(0, length), () => setTimeout(() => response.destroy(), 20));

test('a download resumes at the broken byte', async () => {
  const rest: RequestListener = ({ headers }, response) => {
    const start = Number(headers.range?.match(/\d+/)?.[0]);
    response.writeHead(206, { 'content-range': `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` });
    response.end(TEXT.slice(start));
  };
  const { text, ranges } = await download((count) => (count === 1 ? broken(4000) : rest));
  expect(text).toBe(TEXT);
  expect(ranges).toEqual([undefined, 'bytes=4000-']);
});

test('a download of a known size ends with its last byte, even if the connection breaks then', async () => {
  const { text, ranges } = await download(() => broken(TEXT.length), TEXT.length);
  expect(text).toBe(TEXT);
  expect(ranges).toEqual([undefined]);
});

test('a download resumes where a server ignores the range and sends everything again', async () => {
  const all: RequestListener = (_, response) => void response.end(TEXT);
  const { text, ranges } = await download((count) => (count === 1 ? broken(4000) : all));
  expect(text).toBe(TEXT);
  expect(ranges).toEqual([undefined, 'bytes=4000-']);
});
