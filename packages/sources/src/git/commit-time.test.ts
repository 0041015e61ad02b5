import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutside } from '@tbuild/host';
import { expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { timeIn } from './commit-time.ts';

test('a commit with a time that no file can have is refused', needs('git'), async () => {
  const root = mkdtempSync(join(tmpdir(), 'commit-time-'));
  const git = (input: string, ...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', input }).trim();
  git('', 'init', '--quiet', '--bare');
  const tree = git('', 'mktree');
  const commit = (time: string): string => {
    const text = `tree ${tree}\nauthor A <a> 0 +0000\ncommitter A <a> ${time} +0000\n\nm\n`;
    return git(text, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin');
  };
  const remote = {
    url: root,
    runProgram: createOutside({ directory: root }).run,
    signal: new AbortController().signal,
  };
  expect(await timeIn(root, commit('1700000000'), remote)).toBe(1_700_000_000);
  await expect(timeIn(root, commit('9'.repeat(20)), remote)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('has a time beyond the last date'),
  });
  rmSync(root, { recursive: true });
});
