import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { followBlob } from './follow-blob.ts';

const root = mkdtempSync(join(tmpdir(), 'follow-blob-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;

/** Moves the blob once the reader has opened it, which takes a while on a loaded machine. */
const MOVE = `move() { until ls -l "/proc/$PPID/fd" | grep -q "$PWD/blob-1"; do sleep 0.01; done; mv blob-1 ../whole; }
`;

/**
 * Runs shell commands in a temporary directory that is removed when they end. The blob is complete once they move it to
 * ../whole.
 */
function writing(commands: string, options = { keep: true }) {
  const parent = join(root, String(count++));
  const directory = join(parent, 'writing');
  mkdirSync(directory, { recursive: true });
  const child = spawn('sh', ['-ec', `${MOVE}${commands}`], { cwd: directory, stdio: 'inherit' });
  const whole = once(child, 'exit').then(() => {
    rmSync(directory, { recursive: true });
    const file = join(parent, 'whole');
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats && { size: stats.size, file };
  });
  return { bytes: followBlob(directory, whole, options), directory, whole, result: join(parent, 'whole') };
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

test.each([
  ['at once', 'seq 1 300000 > blob-1; move'],
  ['gradually', 'for n in 1 2 3 4; do seq 1 ${n}00000; sleep 0.02; done > blob-1; move'],
  ['after a delay', 'sleep 0.1; seq 1 9 > blob-1; sleep 0.1; move'],
  [
    'with a hole in the middle and at the end',
    'echo a > blob-1; sleep 0.02; truncate -s 3M blob-1; echo b >> blob-1; truncate -s 5M blob-1; move',
  ],
  ['empty', ': > blob-1; sleep 0.02; move'],
  ['beside other files', 'touch job a; seq 1 9 > blob-1; sleep 0.02; move'],
])('followBlob reads a blob to its end: written %s', async (_, commands) => {
  const { bytes, result } = writing(commands);
  const read = await collect(bytes);
  expect(read.equals(readFileSync(result))).toBe(true);
});

test.each([
  ['is aborted', 'seq 1 300000 > blob-1; sleep 0.02'],
  ['is never started', 'sleep 0.02'],
])('followBlob fails for a blob that %s', async (_, commands) => {
  await expect(collect(writing(commands).bytes)).rejects.toThrow('The layer write was aborted');
});

test('A blob that is not kept is read completely, and its disk space is freed as it is read', async () => {
  const size = 50_000_000;
  const commands = `yes | head -c ${size} > blob-1; until [ -e ../read ]; do sleep 0.01; done; mv blob-1 ../whole`;
  const { bytes, directory } = writing(commands, { keep: false });
  const blob = join(directory, 'blob-1');
  await expect.poll(() => statSync(blob, { throwIfNoEntry: false })?.size).toBe(size);
  let read = 0;
  for await (const chunk of bytes) {
    expect(Buffer.from(chunk).equals(Buffer.alloc(chunk.length, 'y\n'))).toBe(true);
    if ((read += chunk.length) < size) continue;
    expect(statSync(blob).blocks * 512).toBeLessThan(size / 4);
    writeFileSync(join(directory, '../read'), '');
  }
  expect(read).toBe(size);
});

test('followBlob fails for a blob shorter than announced', async () => {
  const directory = join(root, 'short');
  mkdirSync(directory);
  writeFileSync(join(directory, 'blob-1'), 'short');
  await expect(
    collect(followBlob(directory, Promise.resolve({ size: 6, file: join(directory, 'blob-1') }), { keep: true })),
  ).rejects.toThrow('The layer write was aborted');
});

test('followBlob yields to other work while it reads a large blob', async () => {
  const size = 50_000_000;
  const { bytes, directory, whole } = writing(`head -c ${size} /dev/zero > blob-1; sleep 0.3; mv blob-1 ../whole`);
  await expect.poll(() => statSync(join(directory, 'blob-1'), { throwIfNoEntry: false })?.size).toBe(size);
  let [turns, read] = [0, 0];
  const takeTurn = (): void => {
    turns += 1;
    if (read < size) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);
  for await (const chunk of bytes) if ((read += chunk.length) === size) expect(turns).toBeGreaterThan(8);
  await whole;
});

test('followBlob reads a blob that was complete before', async () => {
  const { bytes, whole } = writing('echo > blob-1; mv blob-1 ../whole');
  await whole;
  expect(String(await collect(bytes))).toBe('\n');
});
