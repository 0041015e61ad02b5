import { unescape } from 'node:querystring';
import { withoutCredentials } from '@tbuild/errors';
import type { GitOp } from '@tbuild/graph';
import { makeDirectory } from '@tbuild/linux';
import { type Commit, type GitConnection, type GitLogin, type GitRemote, resolveCommit } from '@tbuild/sources';
import type { StoreLayout } from '@tbuild/store';
import type { ResolvedSources } from '../../session/resolved-sources.ts';
import type { Secrets } from '../secrets.ts';

/** What access to a repository uses. */
export interface RemotePorts extends Pick<GitRemote, 'runProgram' | 'idleTimeoutMs'> {
  readonly store: StoreLayout;
  readonly gitConnection?: GitConnection;
  readonly unpackLimits?: GitRemote['limits'];
}

/** Returns how to access the repository of an op. Makes the store's directory, where git runs. */
export function remoteOf(
  { url }: GitOp,
  { store, runProgram, idleTimeoutMs, gitConnection: connection, unpackLimits: limits }: RemotePorts,
  { signal, ...secrets }: Secrets & Pick<GitRemote, 'signal'>,
): GitRemote {
  makeDirectory(store.root);
  return { ...withLogin(url, secrets), mirror: url, idleTimeoutMs, connection, limits, runProgram, signal };
}

/** Takes user and password out of the URL of a web server. Secrets take precedence. */
function withLogin(url: string, secrets: Secrets): Pick<GitRemote, 'url' | 'login'> {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return { url };
  return { url: withoutCredentials(url), login: secretLogin(new URL(url), secrets) ?? ownLogin(url) };
}

/** An empty password is one too: some servers take a token as the user. */
function ownLogin(url: string): GitLogin | undefined {
  const [, info] = /^https?:\/\/([^\s/?#]*)@/i.exec(url) ?? [];
  if (info === undefined) return undefined;
  const [user = '', ...password] = info.split(':');
  return { user: unescape(user), password: password.length === 0 ? undefined : unescape(password.join(':')) };
}

/** Returns the login from the secrets GIT_AUTH_HEADER and GIT_AUTH_TOKEN. Those with a host name take precedence. */
function secretLogin({ host }: URL, { readSecret }: Secrets): GitLogin | undefined {
  for (const suffix of [`.${host}`, '']) {
    const header = readSecret(`GIT_AUTH_HEADER${suffix}`)?.toString().trim();
    if (header !== undefined) return loginOf(header);
    const token = readSecret(`GIT_AUTH_TOKEN${suffix}`)?.toString().trim();
    if (token !== undefined) return { user: 'x-access-token', password: token };
  }
  return undefined;
}

/** Reads a user and a password from a header that has them. */
function loginOf(header: string): GitLogin {
  const [, encoded = ''] = /^basic +(\S+)$/i.exec(header) ?? [];
  const [, user, password] = /^([^:\n]*):([^\n]*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  return user === undefined ? { header } : { user, password };
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
