import { TbuildError, withoutCredentials } from '@tbuild/errors';
import { runGit, type GitRemote } from './run-git.ts';

/** The commit that a ref points to now. */
export interface Commit {
  readonly id: string;
  /** Full name of the branch or tag, unless the ref is a commit ID. */
  readonly ref?: string;
}

/** The commit to resolve. */
export interface WantedCommit {
  /** A full name, else a branch, else a tag, or a commit ID. The default branch if undefined. */
  readonly ref?: string;
  /** The beginning of the commit's ID. */
  readonly checksum?: string;
  /** Takes the commit in `checksum`, then a full ID, whatever the ref points to. */
  readonly byCommit?: boolean;
}

/**
 * Asks the server for a ref, unless it is a commit ID.
 * @throws TbuildError NOT_FOUND for an unknown ref, DIGEST_MISMATCH if the commit ID does not start with `checksum`.
 */
export async function resolveCommit(remote: GitRemote, wanted: WantedCommit, cwd: string): Promise<Commit> {
  const { checksum, byCommit } = wanted;
  const ref = byCommit === true ? checksum : wanted.ref;
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
      `Repository does not contain ref ${ref ?? 'HEAD'}: ${JSON.stringify(withoutCredentials(remote.url))}`,
      {
        hint: ref !== undefined && /^[a-f0-9]{4,}$/.test(ref) ? 'Use the full commit ID' : undefined,
      },
    );
  }
  checkPrefix(found.ids, checksum, remote);
  return { id: found.ids[0] ?? '', ref: found.ref };
}

const COMMIT_ID = /^(?:[a-f0-9]{40}|[a-f0-9]{64})$/;

interface Advertised {
  /** IDs by ref name. `NAME^{}` is the commit of an annotated tag. */
  readonly ids: ReadonlyMap<string, string>;
  /** The branch that HEAD points to. */
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

/** The IDs that a checksum may match, the commit's first. */
interface Found {
  readonly ids: readonly string[];
  readonly ref?: string;
}

function defaultBranch({ ids, head }: Advertised): Found | undefined {
  const id = ids.get('HEAD');
  return id === undefined ? undefined : { ids: [id], ref: head };
}

/** Finds a ref by name. As in git, a branch wins over a tag of the same name. */
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
    `Expected checksum of ${JSON.stringify(withoutCredentials(url))} to match ${checksum}, got ${ids[0] ?? ''}`,
  );
}
