import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContextSpec } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import { parseGitSource } from '@tbuild/frontend';

/**
 * What a context given on the command line is: a directory, a git repository, or a URL. A directory that
 * exists counts before anything that it may look like.
 * @throws TbuildError USAGE for a git repository that is not named well, CONTEXT when there is nothing of that name.
 */
export function contextSource(text: string, cwd: string): ContextSpec {
  const path = resolve(cwd, text);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return { kind: 'directory', path };
  const git = parseGitSource(text.startsWith('github.com/') ? `https://${withSuffix(text)}` : text);
  if (git !== undefined && 'wrong' in git)
    throw new TbuildError('USAGE', `Context ${JSON.stringify(text)} is not valid: ${git.wrong}`);
  if (git !== undefined) return { kind: 'git', ...git };
  if (/^https?:\/\//i.test(text)) return { kind: 'http', url: text };
  if (stats === undefined)
    throw new TbuildError('CONTEXT', `Unable to prepare context: path ${JSON.stringify(text)} not found`);
  return { kind: 'directory', path };
}

/** Whether the files of the context are only there once it has been fetched or unpacked. */
export function isFetched({ kind }: ContextSpec): boolean {
  return kind === 'git' || kind === 'http' || kind === 'archive';
}

/** `github.com/owner/name`, which needs no `.git`. */
function withSuffix(text: string): string {
  return text.replace(/^([^?#]*?)(?:\.git)?(?=$|[?#])/, '$1.git');
}
