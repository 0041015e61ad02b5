import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeNotes, encodeNotes } from './explanation-notes.ts';

const name = '0123456789abcdef0123456789abcdef';

test('notes are encoded and decoded, except those that are too large', () => {
  const notes = [
    { name, text: 'RUN true\0sha256:1\0base\0abc\0' },
    { name: name.replace('0', 'f'), text: 'x'.repeat(4_000_001) },
  ];
  expect(decodeNotes(encodeNotes(notes))).toEqual(notes.slice(0, 1));
});

test.each([
  ['no archive', Buffer.from('nonsense')],
  ['no JSON', gzipSync('nonsense')],
])('notes that are damaged are refused: %s', (_name, bytes) => {
  expect(() => decodeNotes(bytes)).toThrow('not valid');
});

test('notes with invalid names or members are left out', () => {
  const text = JSON.stringify([['../../etc/passwd', 'x'], [name], 7, [name, 'good']]);
  expect(decodeNotes(gzipSync(text))).toEqual([{ name, text: 'good' }]);
});
