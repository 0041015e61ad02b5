import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, TbuildError, withoutCredentials } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import { type StoreLayout, touch } from '@tbuild/store';
import { limitGrowth } from './limited.ts';
import { runGit, type GitRemote } from './run-git.ts';

/** Where repositories are kept. */
export interface GitStore {
  readonly store: StoreLayout;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Fetches a commit into the store's bare repository for a URL, unless it is there, and returns the repository's
 * directory. Fetches only that commit if the server supports it. Commits by SHA-256 have a repository of their own.
 * @throws TbuildError NOT_FOUND if the repository lacks the commit; as {@link runGit}.
 */
export async function fetchCommit(commit: string, remote: GitRemote, { store, now }: GitStore): Promise<string> {
  const format = objectFormat(commit);
  const { mirror: name = remote.url } = remote;
  const mirror = store.gitMirror(format === 'sha1' ? name : `${name} ${format}`);
  const kept = `refs/commits/${commit}`;
  const git = (args: readonly string[]) => runGit([`--git-dir=${mirror}`, ...args], remote, { cwd: store.root });
  // A fetch that broke may leave the commit without its files. Git makes the reference when it has all of them.
  const has = () => succeeds(git(['cat-file', '-e', `${kept}^{tree}`]));
  // Touch before reading, so that no prune removes it from here on.
  touch(mirror, now());
  const lock = join(mirror, 'fetch');
  if (!existsSync(join(mirror, 'HEAD'))) {
    makeDirectory(mirror);
    // The steps of a build may come here at the same time. A second init changes nothing.
    const init = ['init', '--quiet', '--bare', '--template=', ...formatOption(commit), mirror];
    await runGit(init, remote, { cwd: store.root, lock });
  }
  if (await has()) return mirror;
  const fetch = (...options: readonly string[]) =>
    limitGrowth(join(mirror, 'objects/pack'), remote, (limited) =>
      runGit([`--git-dir=${mirror}`, 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...options], limited, {
        cwd: store.root,
        lock,
      }),
    );
  if (await succeeds(fetch('--depth=1', '--', remote.url, `+${commit}:${kept}`))) return mirror;
  await fetch(...unshallow(mirror), '--', remote.url, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*');
  if (await succeeds(git(['rev-list', '--quiet', '--objects', '--no-walk', commit]))) {
    await git(['update-ref', kept, commit]);
    return mirror;
  }
  throw new TbuildError(
    'NOT_FOUND',
    `Repository ${JSON.stringify(withoutCredentials(remote.url))} does not contain commit ${commit}`,
  );
}

/** Returns the option of `git init` for a repository with this commit. */
export function formatOption(commit: string): readonly string[] {
  const format = objectFormat(commit);
  return format === 'sha1' ? [] : [`--object-format=${format}`];
}

function objectFormat(commit: string): 'sha1' | 'sha256' {
  return commit.length === 64 ? 'sha256' : 'sha1';
}

function unshallow(mirror: string): string[] {
  return existsSync(join(mirror, 'shallow')) ? ['--unshallow'] : [];
}

async function succeeds(run: Promise<unknown>): Promise<boolean> {
  try {
    await run;
    return true;
  } catch (error) {
    if (hasCode(error, 'PROCESS_FAILED')) return false;
    throw error;
  }
}
