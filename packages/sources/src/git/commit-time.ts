import { TbuildError, withoutCredentials } from '@tbuild/errors';
import { fetchCommit, type GitStore } from './mirror.ts';
import { runGit, type GitRemote } from './run-git.ts';

/**
 * Returns when a commit was made, in seconds since 1970. Fetches the commit if the store lacks it.
 * @throws TbuildError as {@link fetchCommit}.
 */
export async function commitTime(commit: string, remote: GitRemote, git: GitStore): Promise<number> {
  const mirror = await fetchCommit(commit, remote, git);
  return timeIn(mirror, commit, remote);
}

/** Seconds from 1970 to the last date of JavaScript. The kernel refuses times far beyond. */
const LAST_TIME = 8.64e12;

/**
 * Returns when a commit of a bare repository was made, in seconds since 1970. Its parents need not be there.
 * @throws TbuildError UNSUPPORTED for a time that no file can have; as {@link runGit}.
 */
export async function timeIn(mirror: string, commit: string, remote: GitRemote): Promise<number> {
  const show = [`--git-dir=${mirror}`, 'show', '--no-patch', '--format=%ct', commit];
  const seconds = Number(await runGit(show, remote, { cwd: mirror }));
  if (seconds <= LAST_TIME) return seconds;
  const shown = JSON.stringify(withoutCredentials(remote.url));
  throw new TbuildError('UNSUPPORTED', `Commit ${commit} of ${shown} has a time beyond the last date`);
}
