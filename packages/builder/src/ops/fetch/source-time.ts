import { newestFile } from '@tbuild/diff';
import type { GitOp, HttpOp } from '@tbuild/graph';
import { commitTime, fetchUrl, resolveCommit } from '@tbuild/sources';
import type { FetchContext } from './fetch-step.ts';
import { remoteOf } from './git-remote.ts';

/**
 * Returns the time of a source in seconds since 1970: that of the commit, `Last-Modified` of the URL, or the newest file
 * in the archive at the URL. Undefined for a URL with neither. Reads what this build has read before.
 * @throws TbuildError as the ops that fetch.
 */
export async function sourceTime(
  op: GitOp | HttpOp,
  context: FetchContext,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { services, sources, readSecret, report } = context;
  const known = sources.get(op);
  if (op.kind === 'git') {
    const remote = remoteOf(op, context, signal);
    const commit = known?.commit ?? (await resolveCommit(remote, op.ref, op.checksum, services.store.root)).id;
    sources.add(op, { commit });
    return commitTime(commit, remote, services);
  }
  const { digest, modified } =
    known?.digest === undefined
      ? await fetchUrl(op.url, services, { checksum: op.checksum, readSecret, report, signal })
      : { ...known, digest: known.digest };
  sources.add(op, { digest, modified });
  const time = modified ?? (await newestFile(services.content.path(digest), signal));
  return time === undefined ? undefined : Math.floor(time / 1000);
}
