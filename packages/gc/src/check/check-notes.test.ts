import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeNote, storeLayout } from '@tbuild/store';
import { expect, onTestFinished, test } from 'vitest';
import { checkNotes } from './check-notes.ts';

test('checkNotes ends at an abort although no note is damaged', async () => {
  const root = mkdtempSync(join(tmpdir(), 'check-notes-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const store = storeLayout(root);
  mkdirSync(store.records);
  // Reading so many takes longer than a pause is away.
  for (let count = 0; count < 5000; count++) {
    const file = join(store.records, `${count}`);
    writeFileSync(file, encodeNote(file, '{"key":1}'));
  }
  const check = async (signal: AbortSignal): Promise<number> => {
    let damages = 0;
    for await (const _ of checkNotes({ store }, signal)) damages++;
    return damages;
  };
  expect(await check(new AbortController().signal)).toBe(0);
  const reason = new Error('stop');
  await expect(check(AbortSignal.abort(reason))).rejects.toBe(reason);
});
