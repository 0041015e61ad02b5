import { hasCode } from '@tbuild/errors';
import type { GitRemote } from './run-git.ts';

/** Returns what a git command in a work tree prints, or undefined if it fails. */
export type AskGit = (...args: readonly string[]) => Promise<string | undefined>;

/** Asks about the work tree at `path`, and runs nothing that its repository configures. Without git nothing is known. */
export function gitIn(path: string, { runProgram, signal }: Pick<GitRemote, 'runProgram' | 'signal'>): AskGit {
  return async (...args) => {
    const command = ['git', '-C', path, '-c', 'core.fsmonitor=false', '--no-optional-locks', ...args];
    try {
      const { exitCode, stdout } = await runProgram(command, { cwd: path, signal });
      return exitCode === 0 ? Buffer.from(stdout).toString().trim() : undefined;
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  };
}

/** Returns whether a work tree differs from its commit, by a changed or an added file. */
export async function isDirty(git: AskGit): Promise<boolean> {
  // Neither command reads content, which could start filters that the repository configures.
  const changed = await git('diff-index', '--raw', '--ignore-submodules=all', 'HEAD');
  const added = await git('ls-files', '--others', '--exclude-standard', '--directory', ':/');
  return changed !== '' || added !== '';
}
