import { relative } from 'node:path';
import { withoutCredentials } from '@tbuild/errors';
import { gitIn, type GitRemote, isDirty } from '@tbuild/sources';
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
  const git = gitIn(path, { runProgram, signal });
  const root = await git('rev-parse', '--show-toplevel');
  if (root === undefined) return undefined;
  const [revision, origin, dirty] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git('config', '--get', 'remote.origin.url'),
    isDirty(git),
  ]);
  if (revision === undefined) return undefined;
  return {
    'localdir:context': relative(root, path) || '.',
    revision: dirty ? `${revision}-dirty` : revision,
    ...(origin === undefined || origin === '' ? {} : { source: withoutCredentials(origin) }),
  };
}
