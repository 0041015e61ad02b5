import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContextSpec } from '@tbuild/builder';
import { TbuildError, withoutCredentials } from '@tbuild/errors';
import { parseGitSource } from '@tbuild/frontend';

/**
 * Returns whether a context is a git repository, a URL, or a directory. A text that looks like a URL is never a path,
 * since its `..` could lead anywhere. Only `github.com/owner/name` may be an existing directory. `name` is that of a named
 * context.
 * @throws TbuildError USAGE for a URL that is no context, CONTEXT when the path is no directory.
 */
export function contextSource(text: string, cwd: string, name?: string): ContextSpec {
  if (text.startsWith(GITHUB) && !isDirectory(`${cwd}/${text}`)) return remoteSource(`https://${withSuffix(text)}`);
  if (!mayBePath(text)) return remoteSource(text);
  const path = resolve(cwd, text);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return { kind: 'directory', path };
  const [shown, isMissing] = [JSON.stringify(text), stats === undefined];
  const why = isMissing ? `path ${shown} not found` : `${shown} is not a directory`;
  const what = name === undefined ? 'context' : `context ${JSON.stringify(name)}`;
  const hint =
    name === undefined ? MAIN_HINTS[isMissing ? 'missing' : 'file'] : 'Name a directory, a repository or a URL';
  throw new TbuildError('CONTEXT', `Unable to prepare ${what}: ${why}`, { hint });
}

const MAIN_HINTS = {
  missing: 'Check the path; the last argument is the directory to copy files from',
  file: 'Pass the directory as the context, and a Dockerfile with -f FILE',
};

const GITHUB = 'github.com/';
const URL_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Resolves the path as the kernel does: without a directory `github.com`, `github.com/../x` does not exist. */
function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether a context is a path of this machine, as `github.com/owner/name` may be, and not the address of something. */
export function mayBePath(text: string): boolean {
  return !URL_SCHEME.test(text) && parseGitSource(text) === undefined;
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

/** Returns whether the context has to be fetched or unpacked first. */
export function isFetched({ kind }: ContextSpec): boolean {
  return kind === 'git' || kind === 'http' || kind === 'archive';
}

/** Adds the suffix `.git` that `github.com/owner/name` may omit. */
function withSuffix(text: string): string {
  return text.replace(/^([^?#]*?)(?:\.git)?(?=$|[?#])/, '$1.git');
}
