import { withoutCredentials } from '@tbuild/errors';
import { gitFragment, type GitSource, type NamedContext } from '@tbuild/frontend';
import type { GitOp } from '@tbuild/graph';
import { fileNameOf } from '@tbuild/sources';
import type { ContextSpec } from '../request.ts';

type RemoteSpec = Extract<ContextSpec, { kind: 'git' | 'http' }>;

/** Returns the step that fetches a named context. */
export function remoteContext(name: string, spec: RemoteSpec): NamedContext {
  const title = remoteTitle(name, spec);
  if (spec.kind === 'git') return { kind: 'remote', op: gitOpOf(spec), title };
  return { kind: 'remote', op: { kind: 'http', url: spec.url, filename: fileNameOf(spec.url) }, title };
}

/** Returns the op that checks out a repository. */
export function gitOpOf({
  keepGitDir = false,
  submodules = true,
  url,
  ref,
  subdirectory,
  checksum,
  commitTime,
  byCommit,
}: GitSource): GitOp {
  // Undefined, as in ADD: the value is part of the step's key.
  const time = commitTime === true ? true : undefined;
  return { kind: 'git', url, ref, subdirectory, checksum, keepGitDir, submodules, commitTime: time, byCommit };
}

/** Returns the step's name. */
export function remoteTitle(name: string, spec: RemoteSpec): string {
  if (spec.kind === 'http') return `[context ${name}] ${withoutCredentials(spec.url)}`;
  return `[internal] load git source ${withoutCredentials(spec.url)}${gitFragment(spec)}`;
}
