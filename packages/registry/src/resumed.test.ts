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

/** Sends the part that was asked for, or one that begins some bytes later. */
const rest =
  (by = 0): RequestListener =>
  ({ headers }, response) => {
    const start = Number(headers.range?.match(/\d+/)?.[0]) + by;
    response.writeHead(206, { 'content-range': `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` });
    response.end(TEXT.slice(start));
  };

test('a download resumes at the broken byte', async () => {
  const { text, ranges } = await download((count) => (count === 1 ? broken(4000) : rest()));
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

test('a download takes only the part that it asked for, and asks again for it', async () => {
  const { text, ranges } = await download((count) => (count === 1 ? broken(4000) : rest(count < 4 ? 10 : -10)));
  expect(text).toBe(TEXT);
  expect(ranges).toEqual([undefined, ...Array(3).fill('bytes=4000-')]);
});

test('a download from a server that always sends another part fails', async () => {
  await expect(download((count) => (count === 1 ? broken(4000) : rest(10)))).rejects.toMatchObject({
    code: 'REGISTRY',
    message: expect.stringContaining('sent the part "bytes 4010-9999/10000", expected the bytes from 4000 on'),
  });
});

test('a download resumes where an answer ends early without an error', async () => {
  const half: RequestListener = (_, response) => void response.end(TEXT.slice(0, 4000));
  const { text, ranges } = await download((count) => (count === 1 ? half : rest()), TEXT.length);
  expect(text).toBe(TEXT);
  expect(ranges).toEqual([undefined, 'bytes=4000-']);
});

test('a download whose server has fewer bytes than expected ends with those', async () => {
  const all: RequestListener = ({ headers }, response) =>
    void response.writeHead(headers.range === undefined ? 200 : 416).end(headers.range === undefined ? TEXT : '');
  const { text } = await download(() => all, TEXT.length + 1);
  expect(text).toBe(TEXT);
});

test('a download fails after several attempts that each bring a few bytes', async () => {
  const few: RequestListener = ({ headers }, response) => {
    const start = Number(headers.range?.match(/\d+/)?.[0] ?? 0);
    response.writeHead(206, { 'content-range': `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` });
    response.write(TEXT.slice(start, start + 10), () => setTimeout(() => response.destroy(), 20));
  };
  await expect(download(() => few)).rejects.toMatchObject({ message: expect.stringContaining('broke the connection') });
});

test('a download from a server that refuses connections is tried as often as any other request', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await new Promise((resolve) => server.close(resolve));
  const clock = createFastClock();
  await using web = createWebClient({ userAgent: 'test', clock });
  const open = async () => (await web.send({ method: 'GET', url, headers: {} })).body;
  await expect(resumed(open, { clock }).next()).rejects.toMatchObject({ code: 'REGISTRY' });
  expect(clock.slept).toEqual([250, 500]);
});
