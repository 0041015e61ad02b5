import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutside } from '@tbuild/host';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { fetchCommit } from './mirror.ts';

const root = mkdtempSync(join(tmpdir(), 'mirror-'));
afterAll(() => rmSync(root, { recursive: true }));

const remote = { url: root, runProgram: createOutside({ directory: root }).run, signal: new AbortController().signal };
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', root, '-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...args], {
    encoding: 'utf8',
  }).trim();

test('steps that need a repository at the same time share one mirror of it', needs('git'), async () => {
  git('init', '--quiet', '--initial-branch', 'main');
  git('commit', '--quiet', '--allow-empty', '--message', 'first');
  const commit = git('rev-parse', 'HEAD');
  for (let round = 0; round < 5; round++) {
    const store = storeLayout(join(mkdtempSync(join(root, 'store-'))));
    const fetches = Array.from({ length: 8 }, () => fetchCommit(commit, remote, { store, now: Date.now }));
    expect(new Set(await Promise.all(fetches)).size).toBe(1);
  }
});

test('a commit without its files, which a broken fetch may leave, is fetched again', needs('git'), async () => {
  git('init', '--quiet', '--initial-branch', 'main');
  writeFileSync(join(root, 'file'), 'text\n');
  git('add', 'file');
  git('commit', '--quiet', '--message', 'second');
  const store = storeLayout(mkdtempSync(join(root, 'store-')));
  const mirror = store.gitMirror(root);
  git('init', '--quiet', '--bare', mirror);
  const commit = git('rev-parse', 'HEAD');
  for (const id of [commit, git('rev-parse', 'HEAD^{tree}')]) {
    const path = join('objects', id.slice(0, 2), id.slice(2));
    cpSync(join(root, '.git', path), join(mirror, path));
  }
  await fetchCommit(commit, remote, { store, now: Date.now });
  expect(git(`--git-dir=${mirror}`, 'cat-file', '-p', `${commit}:file`)).toBe('text');
});
