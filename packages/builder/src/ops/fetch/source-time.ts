import { newestFile } from '@tbuild/diff';
import type { GitOp, HttpOp } from '@tbuild/graph';
import { commitTime, fetchUrl, type Web } from '@tbuild/sources';
import type { Fetching } from './fetch-step.ts';
import { commitOf, remoteOf, type RemotePorts } from './git-remote.ts';

/** What reading the time of a source uses. */
export type SourceTimePorts = Web & RemotePorts;

/**
 * Returns the time of a source in seconds since 1970: that of the commit, `Last-Modified` of the URL, or the newest file
 * in the archive at the URL. Undefined for a URL with neither. Reads what this build has read before.
 * @throws TbuildError as the ops that fetch.
 */
export async function sourceTime(
  op: GitOp | HttpOp,
  ports: SourceTimePorts,
  { sources, readSecret, report, signal }: Fetching & { readonly signal: AbortSignal },
): Promise<number | undefined> {
  if (op.kind === 'git') {
    const remote = remoteOf(op, ports, { readSecret, signal });
    const { id } = await commitOf(op, remote, { sources, root: ports.store.root });
    return commitTime(id, remote, ports);
  }
  const known = sources.get(op);
  const { digest, modified } =
    known?.digest === undefined
      ? await fetchUrl(op.url, ports, { checksum: op.checksum, readSecret, report, signal })
      : { ...known, digest: known.digest };
  sources.add(op, { digest, modified });
  const time = modified ?? (await newestFile(ports.content.path(digest), signal));
  return time === undefined ? undefined : Math.floor(time / 1000);
}
