import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { explainContent } from './explain-content.ts';

const pyc = (time: number, code = 'code'): Buffer => {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(0x0a0d0da7, 0);
  head.writeUInt32LE(time, 8);
  return Buffer.concat([head, Buffer.from(code)]);
};

const gzip = (time: number): Buffer => {
  const bytes = gzipSync('text');
  bytes.writeUInt32LE(time, 4);
  return bytes;
};

const library = (time: number): Buffer =>
  Buffer.from(`!<arch>\na.o/            ${String(time).padEnd(12)}0     0     100644  2         \`\nab`);

/** A zip archive of one empty file. */
const zip = (time: number): Buffer => {
  const local = Buffer.alloc(31);
  local.write('PK\u0003\u0004', 'latin1');
  local.writeUInt32LE(time, 10);
  local.writeUInt16LE(1, 26);
  local.write('f', 30);
  const central = Buffer.alloc(47);
  central.write('PK\u0001\u0002', 'latin1');
  central.writeUInt32LE(time, 12);
  central.writeUInt16LE(1, 28);
  central.write('f', 46);
  return Buffer.concat([local, central]);
};

test.each([
  ['compiled Python', '/a/x.pyc', pyc(1), pyc(2), 'time inside the file (compiled Python)'],
  ['compiled Python of other code', '/a/x.pyc', pyc(1), pyc(1, 'other'), undefined],
  ['a gzip file', '/a.gz', gzip(1), gzip(2), 'time in the gzip header'],
  ['a zip archive', '/a.jar', zip(1), zip(2), 'times inside the zip archive'],
  ['a static library', '/lib/a.a', library(1), library(2), 'times, owners or modes inside the static library'],
  ['a date in a text', '/v', 'built 2024-01-02 03:04:05\n', 'built 2025-11-12 13:14:15\n', 'time inside the file'],
  ['a number of seconds', '/v', 'T=1700000000\n', 'T=1800000000\n', 'time inside the file'],
  [
    'the name of a month',
    '/v',
    'Mon Jan 12 10:00:00 UTC 2024\n',
    'Sun Feb 2 11:00:00 UTC 2025\n',
    'time inside the file',
  ],
  ['an identifier', '/id', 'id=0123456789abcdef\n', 'id=fedcba9876543210\n', 'a random identifier inside the file'],
  ['other order', '/list', 'a\nb\n', 'b\na\n', 'the same lines in another order'],
  ['a log', '/var/log/dpkg.log', 'a\n', 'b\n', 'a log'],
  ['packages', '/var/lib/dpkg/status', 'a\n', 'b\n', 'installed packages'],
  ['another text', '/text', 'a\n', 'b\n', undefined],
])('the cause of %s', (_, path, first, second, cause) => {
  expect(explainContent(path, Buffer.from(first), Buffer.from(second)).cause).toBe(cause);
});

test('a path alone explains a file that is too large to look into', () => {
  expect(explainContent('/var/log/big')).toMatchObject({ cause: 'a log' });
  expect(explainContent('/big')).toEqual({});
});
