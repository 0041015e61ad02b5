import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readNote, writeNote } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'note-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'notes/a');
const FIELDS = { digest: 'sha256:0123', list: [1, { two: '"checksum":1}' }] };

test('a note that is written is read again, also after the store has moved', () => {
  writeNote(file, FIELDS);
  expect(readNote(file)).toEqual(FIELDS);
  mkdirSync(join(directory, 'elsewhere'));
  renameSync(join(directory, 'notes'), join(directory, 'elsewhere/notes'));
  expect(readNote(join(directory, 'elsewhere/notes/a'))).toEqual(FIELDS);
});

test('a note with any byte changed or cut off is no note', () => {
  writeNote(file, FIELDS);
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, changed);
    expect(readNote(file)).toBeUndefined();
    writeFileSync(file, bytes.subarray(0, at));
    expect(readNote(file)).toBeUndefined();
  }
});

test('the note of another name, a directory and a link to nothing are no note', () => {
  writeNote(file, FIELDS);
  writeFileSync(join(directory, 'notes/b'), readFileSync(file));
  mkdirSync(join(directory, 'notes/c'));
  symlinkSync('nothing', join(directory, 'notes/d'));
  for (const name of ['b', 'c', 'd', 'e', 'a/below']) expect(readNote(join(directory, 'notes', name))).toBeUndefined();
});
