import { expect, test } from 'vitest';
import { requireRate } from './least-rate.ts';

const url = new URL('http://registry.example/v2/');

/** Reads chunks of so many bytes. The clock goes on by two seconds while the reader waits for each, and by an hour while it works. */
async function read(size: number, bytesPerSecond?: number): Promise<number> {
  let [time, bytes, isWaiting] = [0, 0, false];
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 100; count++) yield Buffer.alloc(size);
  }
  const now = () => {
    isWaiting = !isWaiting;
    return (time += isWaiting ? 3_600_000 : 2000);
  };
  const leastRate = bytesPerSecond === undefined ? undefined : { bytesPerSecond, overMs: 30_000 };
  for await (const chunk of requireRate(source(), { url, now, leastRate })) bytes += chunk.length;
  return bytes;
}

test('a server that sends a byte every two seconds is given up after half a minute', async () => {
  await expect(read(1)).rejects.toMatchObject({
    transient: true,
    message: 'Registry registry.example sent 15 bytes in 30 s',
    hint: 'Check the network of this machine, or allow less than 1024 bytes a second with --min-download-rate',
  });
});

test('a server that pauses once for longer than it may be slow is read to the end', async () => {
  let [time, bytes] = [0, 0];
  async function* source(): AsyncGenerator<Uint8Array> {
    time += 100_000;
    yield Buffer.alloc(1);
    for (let count = 0; count < 100; count++, time += 2000) yield Buffer.alloc(4096);
  }
  for await (const chunk of requireRate(source(), { url, now: () => time })) bytes += chunk.length;
  expect(bytes).toBe(409_601);
});

test('a server that is as fast as it has to be is read to the end, however slow the reader is', async () => {
  expect(await read(2048)).toBe(204_800);
  expect(await read(1, 0)).toBe(100);
  await expect(read(2048, 2000)).rejects.toMatchObject({ transient: true });
});
