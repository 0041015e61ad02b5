import { mkdtempSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { withoutCredentials } from '@tbuild/errors';
import { type GitOp, resultId, type ResultId } from '@tbuild/graph';
import { makeDirectory } from '@tbuild/linux';
import { hexOf } from '@tbuild/oci';
import type { Op } from '@tbuild/solver';
import { checkOut, type Commit, contentFilters, fetchCommit, type GitRemote } from '@tbuild/sources';
import { keyOf } from '../key-of.ts';
import type { Trees } from '../trees.ts';
import type { Fetching } from './fetch-step.ts';
import { commitOf, remoteOf, type RemotePorts } from './git-remote.ts';

/** What an ADD from a git repository uses. */
export interface GitPorts extends RemotePorts, Pick<Trees, 'snapshots'> {
  now(): number;
}

/**
 * Creates the op of an ADD from a git repository: a tree with its files. Key and result depend on the commit, the
 * subdirectory and the user's filters for contents, such as Git LFS, but not on the URL, unless `.git` is kept, which
 * contains it.
 */
export function gitOp(op: GitOp, { readSecret, sources }: Omit<Fetching, 'report'>, ports: GitPorts): Op<ResultId> {
  return {
    async prepare(_inputs, signal) {
      const remote = remoteOf(op, ports, { readSecret, signal });
      const { root } = ports.store;
      const [commit, filters] = await Promise.all([
        commitOf(op, remote, { sources, root }),
        contentFilters(remote, root),
      ]);
      const { submodules, commitTime } = op;
      const subdirectory = posix.resolve('/', op.subdirectory ?? '');
      const gitDir = op.keepGitDir ? { url: withoutCredentials(op.url), ref: commit.ref } : undefined;
      const key = keyOf({ git: { commit: commit.id, subdirectory, submodules, commitTime, gitDir, filters } });
      const result = resultId(key);
      const run = async (): Promise<ResultId> => {
        await checkOutTo(result, { op, commit, remote }, ports);
        return result;
      };
      return { key, run, canGive: (given) => given === result };
    },
  };
}

interface CheckOut {
  readonly op: GitOp;
  readonly commit: Commit;
  readonly remote: GitRemote;
}

async function checkOutTo(
  result: ResultId,
  { op, commit, remote }: CheckOut,
  { store, snapshots, now }: GitPorts,
): Promise<void> {
  const mirror = await fetchCommit(commit.id, remote, { store, now });
  const parent = store.run;
  makeDirectory(parent, { mode: 0o700 });
  const scratch = mkdtempSync(join(parent, 'git-'));
  try {
    await using active = await snapshots.prepare();
    await checkOut(remote, { ...op, commit, mirror, scratch, target: active.upper });
    await active.commit(hexOf(result));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
