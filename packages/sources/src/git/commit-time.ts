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

/** Returns when a commit of a bare repository was made, in seconds since 1970. Its parents need not be there. */
export async function timeIn(mirror: string, commit: string, remote: GitRemote): Promise<number> {
  const show = [`--git-dir=${mirror}`, 'show', '--no-patch', '--format=%ct', commit];
  return Number(await runGit(show, remote, { cwd: mirror }));
}
