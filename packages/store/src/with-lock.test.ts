import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { withLock } from './index.ts';

function newLock(): string {
  const directory = mkdtempSync(join(tmpdir(), 'with-lock-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'lock');
}

test('a lock is held until the work is done, and removed then', () => {
  const path = newLock();
  expect(withLock(path, ({ isHeld }) => [isHeld(), existsSync(path)])).toEqual([true, true]);
  expect(existsSync(path)).toBe(false);
});

test('a process that lost its lock knows, and leaves that of another alone', () => {
  const path = newLock();
  const isHeld = withLock(path, (lock) => {
    rmSync(path);
    writeFileSync(path, '');
    lock.renew();
    return lock.isHeld();
  });
  expect([isHeld, existsSync(path)]).toEqual([false, true]);
});
