import { TbuildError } from '@tbuild/errors';
import { runGit, shownUrl, type GitRemote } from './run-git.ts';

/** What a ref stands for now. */
export interface Commit {
  readonly id: string;
  /** The full name of the branch or tag, when it was named by one. */
  readonly ref?: string;
}

/**
 * Asks the server what `ref` is: a full name, else a branch, else a tag; its default branch when undefined.
 * A commit id is not asked for.
 * @throws TbuildError NOT_FOUND for no such ref, DIGEST_MISMATCH when the commit does not begin with `checksum`.
 */
export async function resolveCommit(
  remote: GitRemote,
  ref: string | undefined,
  checksum: string | undefined,
  cwd: string,
): Promise<Commit> {
  if (ref !== undefined && COMMIT_ID.test(ref)) {
    checkPrefix([ref], checksum, remote);
    return { id: ref };
  }
  const patterns = ref === undefined ? ['HEAD'] : [ref, `${ref}^{}`];
  const output = await runGit(['ls-remote', '--symref', '--', remote.url, ...patterns], remote, { cwd });
  const advertised = readAdvertised(output);
  const found = ref === undefined ? defaultBranch(advertised) : choose(ref, advertised);
  if (found === undefined) {
    throw new TbuildError(
      'NOT_FOUND',
      `Repository ${JSON.stringify(shownUrl(remote.url))} does not contain ref ${ref ?? 'HEAD'}`,
      {
        hint: ref !== undefined && /^[a-f0-9]{4,}$/.test(ref) ? 'A commit needs its full id' : undefined,
      },
    );
  }
  checkPrefix(found.ids, checksum, remote);
  return { id: found.ids[0] ?? '', ref: found.ref };
}

const COMMIT_ID = /^(?:[a-f0-9]{40}|[a-f0-9]{64})$/;

interface Advertised {
  /** Ids by name; an annotated tag has its commit's under `NAME^{}`. */
  readonly ids: ReadonlyMap<string, string>;
  /** The branch that HEAD is. */
  readonly head?: string;
}

function readAdvertised(output: string): Advertised {
  const ids = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split('\n')) {
    const [id = '', name] = line.split('\t');
    if (name === undefined) continue;
    if (id.startsWith('ref: ')) head = name === 'HEAD' ? id.slice(5) : head;
    else ids.set(name, id);
  }
  return { ids, head };
}

/** The ids that a ref may be checked by, the commit's first. */
interface Found {
  readonly ids: readonly string[];
  readonly ref?: string;
}

function defaultBranch({ ids, head }: Advertised): Found | undefined {
  const id = ids.get('HEAD');
  return id === undefined ? undefined : { ids: [id], ref: head };
}

/** Git prefers branches when a tag has the same name. */
function choose(ref: string, { ids }: Advertised): Found | undefined {
  for (const name of [ref, `refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`]) {
    const own = ids.get(name);
    if (own === undefined) continue;
    const peeled = ids.get(`${name}^{}`);
    return { ids: peeled === undefined ? [own] : [peeled, own], ...(name.startsWith('refs/') ? { ref: name } : {}) };
  }
  return undefined;
}

function checkPrefix(ids: readonly string[], checksum: string | undefined, { url }: GitRemote): void {
  if (checksum === undefined || ids.some((id) => id.startsWith(checksum.toLowerCase()))) return;
  throw new TbuildError(
    'DIGEST_MISMATCH',
    `Expected checksum of ${JSON.stringify(shownUrl(url))} to match ${checksum}, got ${ids[0] ?? ''}`,
  );
}
