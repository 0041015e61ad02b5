import { relative } from 'node:path';
import { hasCode, withoutCredentials } from '@tbuild/errors';
import type { GitRemote } from '@tbuild/sources';
import type { BuildRequest } from '../request.ts';

/**
 * Returns which repository a local context is in: `source`, `revision` (with `-dirty` after changes) and where the context
 * is inside. Undefined when it is in none, or git is not installed.
 */
export async function vcsOf(
  { context }: BuildRequest,
  { runProgram, signal }: Pick<GitRemote, 'runProgram' | 'signal'>,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (context.kind !== 'directory') return undefined;
  const { path } = context;
  const git = async (...args: string[]): Promise<string | undefined> => {
    const command = ['git', '-C', path, '-c', 'core.fsmonitor=false', '--no-optional-locks', ...args];
    try {
      const { exitCode, stdout } = await runProgram(command, { cwd: path, signal });
      return exitCode === 0 ? Buffer.from(stdout).toString().trim() : undefined;
    } catch (error) {
      if (hasCode(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  };
  const root = await git('rev-parse', '--show-toplevel');
  const revision = root === undefined ? undefined : await git('rev-parse', 'HEAD');
  if (root === undefined || revision === undefined) return undefined;
  const origin = await git('config', '--get', 'remote.origin.url');
  // Neither command reads content, which could start filters that the repository configures.
  const changed = await git('diff-index', '--raw', '--ignore-submodules=all', 'HEAD');
  const added = await git('ls-files', '--others', '--exclude-standard', '--directory', ':/');
  const isDirty = changed !== '' || added !== '';
  return {
    'localdir:context': relative(root, path) || '.',
    revision: isDirty ? `${revision}-dirty` : revision,
    ...(origin === undefined || origin === '' ? {} : { source: withoutCredentials(origin) }),
  };
}
