import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutside } from '@tbuild/host';
import { afterAll, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { resolveCommit } from './resolve-commit.ts';

const root = mkdtempSync(join(tmpdir(), 'resolve-commit-'));
afterAll(() => rmSync(root, { recursive: true }));

const needsGit = needs('git');

/** Does nothing without git, when the tests are skipped. */
const git = (...args: string[]): string =>
  needsGit.skip === true
    ? ''
    : execFileSync('git', ['-C', root, '-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...args], {
        encoding: 'utf8',
      }).trim();
git('init', '--quiet', '--initial-branch', 'main');
const commit = (): string => {
  git('commit', '--quiet', '--allow-empty', '--message', 'change');
  return git('rev-parse', 'HEAD');
};
const [old, tagged, latest] = [commit(), commit(), commit()];
git('tag', 'light', old);
git('tag', '--annotate', 'v1', '--message', 'v1', tagged);
git('tag', 'both', old);
git('branch', 'both', tagged);
git('branch', 'group/topic', old);
git('update-ref', 'refs/changes/1', old);

const remote = { url: root, runProgram: createOutside({ directory: root }).run, signal: new AbortController().signal };
const resolve = (ref?: string, checksum?: string) => resolveCommit(remote, { ref, checksum }, root);

test.each([
  ['the default branch', undefined, { id: latest, ref: 'refs/heads/main' }],
  ['a tag', 'light', { id: old, ref: 'refs/tags/light' }],
  ['an annotated tag', 'v1', { id: tagged, ref: 'refs/tags/v1' }],
  ['a branch before a tag', 'both', { id: tagged, ref: 'refs/heads/both' }],
  ['a tag by its full name', 'refs/tags/both', { id: old, ref: 'refs/tags/both' }],
  ['a branch with a slash', 'group/topic', { id: old, ref: 'refs/heads/group/topic' }],
  ['another kind of ref', 'changes/1', { id: old, ref: 'refs/changes/1' }],
  ['a commit ID, without asking the server', 'a'.repeat(40), { id: 'a'.repeat(40) }],
])('%s', needsGit, async (_, ref, expected) => {
  expect(await resolve(ref)).toEqual(expected);
});

test('The last part of a ref name does not resolve', needsGit, async () => {
  await expect(resolve('topic')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(resolve(old.slice(0, 8))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    hint: 'Use the full commit ID',
  });
});

test('A checksum may abbreviate the commit ID or the ID of the annotated tag', needsGit, async () => {
  await resolve('v1', tagged.slice(0, 10));
  await resolve('v1', git('rev-parse', 'v1').slice(0, 10));
  await expect(resolve('v1', old)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
});
