import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isLibraryLoaded, startUnattended } from '../index.ts';

const root = mkdtempSync(join(tmpdir(), 'start-unattended-'));
afterAll(() => rmSync(root, { recursive: true }));

test('startUnattended starts a program without input and output, in a session of its own', async () => {
  const place = join(root, 'seen');
  const script = `seen=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)
read -r _ _ _ _ _ session _ < /proc/$$/stat
printf '%s\\n' "$seen" "$session" "$$" > "$1.new"
mv "$1.new" "$1"`;
  startUnattended('/bin/sh', ['-c', script, 'sh', place], { env: { PATH: '/usr/bin:/bin' } });
  await expect.poll(() => readFileSync(place, 'utf8'), { timeout: 10_000 }).not.toBe('');
  const [input, output, errors, session, id] = readFileSync(place, 'utf8').split('\n');
  expect([input, output, errors]).toEqual(['/dev/null', '/dev/null', '/dev/null']);
  expect(session).toBe(id);
  expect(isLibraryLoaded()).toBe(true);
});

test('startUnattended reports a program that does not exist', () => {
  expect(() => startUnattended('/nothing', [], { env: {} })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
