import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openInput, readLimitedFile } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'limited-'));
afterAll(() => rmSync(root, { recursive: true }));
const at = (name: string): string => join(root, name);

writeFileSync(at('file'), 'text');
writeFileSync(at('huge'), '');
truncateSync(at('huge'), 3e9);
symlinkSync('fifo', at('link-to-fifo'));
mkdirSync(at('directory'));
execFileSync('mkfifo', [at('fifo'), at('pipe')]);

test('readLimitedFile reads regular files, including those in /proc, which have no size', () => {
  expect(readLimitedFile(at('file'), { what: 'File' })?.toString()).toBe('text');
  expect(readLimitedFile(at('file'), { what: 'File', limit: 4 })?.toString()).toBe('text');
  expect(readLimitedFile('/proc/self/status', { what: 'Status' })?.toString()).toContain('Pid:');
});

test.each(['missing', 'file/below', 'directory/missing'])(
  'readLimitedFile returns undefined for %s, which does not exist',
  (name) => {
    expect(readLimitedFile(at(name), { what: 'File' })).toBeUndefined();
  },
);

test.each([
  ['fifo', 'File is a FIFO, expected a regular file'],
  ['link-to-fifo', 'File is a FIFO, expected a regular file'],
  ['directory', 'File is a directory, expected a regular file'],
  ['/dev/zero', 'File is a character device, expected a regular file'],
  ['huge', 'File has 3000000000 bytes, expected at most 16777216'],
])('readLimitedFile refuses %s', (name, message) => {
  expect(() => readLimitedFile(join(name.startsWith('/') ? '' : root, name), { what: 'File' })).toThrow(message);
});

test('readLimitedFile refuses a socket', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(at('socket'), resolve));
  expect(() => readLimitedFile(at('socket'), { what: 'File' })).toThrow('File is a socket, expected a regular file');
  server.close();
});

test('readLimitedFile refuses a file without a size once it exceeds the limit', () => {
  expect(() => readLimitedFile('/proc/self/status', { what: 'Status', limit: 10, code: 'USAGE' })).toThrow(
    expect.objectContaining({ code: 'USAGE', message: 'Status has more than 10 bytes, expected at most 10' }),
  );
});

test('readLimitedFile reads a pipe to its end if pipes are allowed', () => {
  spawn('bash', ['-c', 'seq 100000 > "$0"', at('pipe')]);
  expect(readLimitedFile(at('pipe'), { what: 'Input', pipes: true })?.length).toBe(588_895);
});

test('a stream that waits for a pipe fails when the signal aborts', async () => {
  const controller = new AbortController();
  const stream = openInput(at('pipe'), { what: 'Archive' }, controller.signal);
  setImmediate(() => controller.abort());
  await expect(stream.toArray()).rejects.toThrow('aborted');
});

test('openInput streams a pipe and a file to their end', async () => {
  const { signal } = new AbortController();
  const stream = openInput(at('pipe'), { what: 'Archive' }, signal);
  execFileSync('bash', ['-c', 'echo written > "$0"', at('pipe')]);
  expect(Buffer.concat(await stream.toArray()).toString()).toBe('written\n');
  const file = openInput(at('file'), { what: 'Archive' }, signal);
  expect(Buffer.concat(await file.toArray()).toString()).toBe('text');
  expect(() => openInput('/dev/zero', { what: 'Archive' }, signal)).toThrow(
    'Archive is a character device, expected a regular file or a pipe',
  );
});
