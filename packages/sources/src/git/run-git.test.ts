import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutside } from '@tbuild/host';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { runGit } from './run-git.ts';

const root = mkdtempSync(join(tmpdir(), 'run-git-'));
afterAll(() => rmSync(root, { recursive: true }));

const { run: runProgram } = createOutside({ directory: root });

test(
  'a git that waits for the lock of another one ends when it is cancelled, or runs after it',
  needs('git'),
  async () => {
    const lock = join(root, 'lock');
    const holder = spawn('flock', [lock, 'sh', '-c', 'echo locked; exec cat']);
    await once(holder.stdout, 'data');
    const version = ({ signal }: AbortController) =>
      runGit(['version'], { url: root, runProgram, signal }, { cwd: root, lock });
    const cancel = new AbortController();
    const waiting = version(new AbortController());
    const cancelled = version(cancel);
    setTimeout(() => cancel.abort(), 200);
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    holder.stdin.end();
    expect(await waiting).toContain('git version');
  },
);
