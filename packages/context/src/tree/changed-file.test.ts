import { lutimesSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDirectory, readLink } from '../index.ts';

test('readLink reports a link that was replaced as changed', () => {
  const root = mkdtempSync(join(tmpdir(), 'changed-'));
  const link = join(root, 'link');
  symlinkSync('target', link);
  const entry = openDirectory(root).stat('link');
  if (entry === undefined) throw new Error('There is no link');
  expect(readLink(entry)).toBe(readlinkSync(link));
  const linkTo = (target: string): void => {
    symlinkSync(target, link);
    lutimesSync(link, entry.stats.mtimeMs / 1000, 5);
  };
  for (const replace of [
    () => {},
    () => writeFileSync(link, ''),
    () => linkTo('others'),
    () => symlinkSync('x', link),
  ]) {
    rmSync(link, { force: true });
    replace();
    expect(() => readLink(entry)).toThrow(
      expect.objectContaining({ code: 'CONTEXT', message: 'File "link" changed during the build' }),
    );
  }
  rmSync(root, { recursive: true });
});
