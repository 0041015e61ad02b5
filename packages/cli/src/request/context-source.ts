import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContextSpec } from '@tbuild/builder';
import { TbuildError, withoutCredentials } from '@tbuild/errors';
import { parseGitSource } from '@tbuild/frontend';

/**
 * What a context given on the command line is: a git repository, a URL, or a directory. What looks like a URL is never a path, which
 * its `..` could lead anywhere; only `github.com/owner/name` is one first, as an existing directory of that name.
 * @throws TbuildError USAGE for a URL that is no context, CONTEXT when there is nothing of that name.
 */
export function contextSource(text: string, cwd: string): ContextSpec {
  if (text.startsWith(GITHUB) && !isDirectory(`${cwd}/${text}`)) return remoteSource(`https://${withSuffix(text)}`);
  if (URL_SCHEME.test(text) || parseGitSource(text) !== undefined) return remoteSource(text);
  const path = resolve(cwd, text);
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    throw new TbuildError('CONTEXT', `Unable to prepare context: path ${JSON.stringify(text)} not found`);
  return { kind: 'directory', path };
}

const GITHUB = 'github.com/';
const URL_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** As the kernel reads the path: where there is no directory `github.com`, `github.com/../x` is nothing. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function remoteSource(text: string): ContextSpec {
  const shown = JSON.stringify(withoutCredentials(text));
  const git = parseGitSource(text);
  if (git !== undefined && 'wrong' in git)
    throw new TbuildError('USAGE', `Context ${shown} is not valid: ${git.wrong}`);
  if (git !== undefined) return { kind: 'git', ...git };
  if (/^https?:\/\//i.test(text)) return { kind: 'http', url: text };
  throw new TbuildError(
    'USAGE',
    `Context ${shown} is not valid: expected a directory or a URL of http, https, ssh or git`,
  );
}

/** Whether the files of the context are only there once it has been fetched or unpacked. */
export function isFetched({ kind }: ContextSpec): boolean {
  return kind === 'git' || kind === 'http' || kind === 'archive';
}

/** `github.com/owner/name`, which needs no `.git`. */
function withSuffix(text: string): string {
  return text.replace(/^([^?#]*?)(?:\.git)?(?=$|[?#])/, '$1.git');
}
