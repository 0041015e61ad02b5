import { mkdirSync } from 'node:fs';
import { unescape } from 'node:querystring';
import { withoutCredentials } from '@tbuild/errors';
import type { GitOp } from '@tbuild/graph';
import { type Commit, type GitRemote, resolveCommit } from '@tbuild/sources';
import type { StoreLayout } from '@tbuild/store';
import type { ResolvedSources } from '../../session/resolved-sources.ts';
import type { Secrets } from '../secrets.ts';

/** What access to a repository uses. */
export interface RemotePorts extends Pick<GitRemote, 'runProgram'> {
  readonly store: StoreLayout;
}

/** Returns how to access the repository of an op. Makes the store's directory, where git runs. */
export function remoteOf(
  { url }: GitOp,
  { store, runProgram }: RemotePorts,
  { signal, ...secrets }: Secrets & Pick<GitRemote, 'signal'>,
): GitRemote {
  mkdirSync(store.root, { recursive: true });
  const authorization = authorizationFor(url, secrets);
  return { ...withHeader(url, authorization), mirror: url, runProgram, signal };
}

/** Takes a password out of the URL of a web server, since other users see the arguments of git. */
function withHeader(url: string, authorization: string | undefined): Pick<GitRemote, 'url' | 'authorization'> {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return { url, authorization };
  const { username, password } = new URL(url);
  // A credential helper may have the password of a user.
  if (password === '') return { url, authorization };
  const own = Buffer.from(`${unescape(username)}:${unescape(password)}`).toString('base64');
  return { url: withoutCredentials(url), authorization: authorization ?? `basic ${own}` };
}

/** Returns the header from the secrets GIT_AUTH_HEADER and GIT_AUTH_TOKEN. Those with a host name take precedence. */
function authorizationFor(url: string, { readSecret }: Secrets): string | undefined {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return undefined;
  const { host } = new URL(url);
  for (const suffix of [`.${host}`, '']) {
    const header = readSecret(`GIT_AUTH_HEADER${suffix}`)?.toString().trim();
    if (header !== undefined) return header;
    const token = readSecret(`GIT_AUTH_TOKEN${suffix}`)?.toString().trim();
    if (token !== undefined) return `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  }
  return undefined;
}

/**
 * Returns the commit of a repository that this build uses. It stays the same if the branch moves while the build runs.
 * @throws TbuildError as `resolveCommit`.
 */
export async function commitOf(
  op: GitOp,
  remote: GitRemote,
  { sources, root }: { readonly sources: ResolvedSources; readonly root: string },
): Promise<Commit> {
  const known = sources.get(op);
  if (known?.commit !== undefined) return { id: known.commit, ref: known.ref };
  const commit = await resolveCommit(remote, op, root);
  sources.add(op, { commit: commit.id, ref: commit.ref });
  return commit;
}
