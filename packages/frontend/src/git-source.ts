import { goBool } from '@tbuild/oci';
/** A git repository in ADD or as a build context. */
export interface GitSource {
  readonly url: string;
  readonly ref?: string;
  readonly subdirectory?: string;
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly submodules?: boolean;
  /** Whether all files get the time of the commit. Undefined if the source does not say. */
  readonly commitTime?: boolean;
  /** Fetches the commit in `checksum`, whatever the ref points to. */
  readonly byCommit?: boolean;
}

/**
 * Parses `https://host/path.git[?query][#ref[:directory]]`, `git@host:path`, `ssh://…` or `git://…`, all with a query.
 * Returns undefined for any other text, and `wrong` for a repository with a query that Docker refuses.
 */
export function parseGitSource(text: string): GitSource | { readonly wrong: string } | undefined {
  const hash = text.indexOf('#');
  const address = hash < 0 ? text : text.slice(0, hash);
  const fragment = fragmentOf(hash < 0 ? '' : text.slice(hash + 1));
  const mark = address.indexOf('?');
  const url = mark < 0 ? address : address.slice(0, mark);
  const scheme = SCP.test(address) ? 'scp' : /^(https?|ssh|git):\/\/./i.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined || (scheme.startsWith('http') && !url.endsWith('.git'))) return undefined;
  return mark < 0
    ? { url, ...fragment }
    : readQuery({ url, ...fragment }, new URLSearchParams(address.slice(mark + 1)));
}

/** Returns `#ref:directory` as {@link parseGitSource} reads it; empty for a whole repository at its default branch. */
export function gitFragment({ ref = '', subdirectory }: Pick<GitSource, 'ref' | 'subdirectory'>): string {
  const fragment = subdirectory === undefined ? ref : `${ref}:${subdirectory}`;
  return fragment === '' ? '' : `#${fragment}`;
}

const SCP = /^[\w-]+@[a-zA-Z0-9.-]+:(?!\/\/).*$/;

function fragmentOf(fragment: string): Pick<GitSource, 'ref' | 'subdirectory'> {
  const colon = fragment.indexOf(':');
  const ref = colon < 0 ? fragment : fragment.slice(0, colon);
  const subdirectory = colon < 0 ? '' : fragment.slice(colon + 1);
  return { ...(ref === '' ? {} : { ref }), ...(subdirectory === '' ? {} : { subdirectory }) };
}

const SWITCHES = new Set(['submodules', 'keep-git-dir', 'fetch-by-commit']);
const KNOWN = new Set(['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'mtime', ...SWITCHES]);

function readQuery(source: GitSource, query: URLSearchParams): GitSource | { readonly wrong: string } {
  for (const name of query.keys()) {
    if (!KNOWN.has(name)) return { wrong: `the query ${JSON.stringify(name)} is not known` };
    if (query.getAll(name).length > 1) return { wrong: `the query ${JSON.stringify(name)} has several values` };
    const value = query.get(name) ?? '';
    if (SWITCHES.has(name) ? value !== '' && goBool(value) === undefined : value === '')
      return {
        wrong: `the query ${JSON.stringify(name)} has ${value === '' ? 'no value' : `the invalid value ${JSON.stringify(value)}`}`,
      };
  }
  const mtime = query.get('mtime') ?? 'checkout';
  if (mtime !== 'checkout' && mtime !== 'commit') return { wrong: `the query "mtime" is neither checkout nor commit` };
  if (query.has('tag') && query.has('branch')) return { wrong: 'it names both a tag and a branch' };
  const refs = [
    source.ref,
    query.get('ref'),
    prefixed('refs/tags/', query.get('tag')),
    prefixed('refs/heads/', query.get('branch')),
  ];
  const ref = agreed(refs);
  const subdirectory = agreed([source.subdirectory, query.get('subdir')]);
  if (ref === null) return { wrong: 'it names several refs' };
  if (subdirectory === null) return { wrong: 'it names several subdirectories' };
  const checksum = query.get('checksum') ?? query.get('commit') ?? undefined;
  const byCommit = isOn(query.get('fetch-by-commit'));
  const pinned = ref ?? (isCommitId(checksum) ? checksum : undefined);
  if (byCommit && !isCommitId(checksum))
    return { wrong: 'the query "fetch-by-commit" needs a full commit ID in "commit"' };
  return {
    url: source.url,
    ...(pinned === undefined ? {} : { ref: pinned }),
    ...(subdirectory === undefined ? {} : { subdirectory }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(query.has('mtime') ? { commitTime: mtime === 'commit' } : {}),
    ...(byCommit ? { byCommit } : {}),
    ...(query.has('keep-git-dir') ? { keepGitDir: isOn(query.get('keep-git-dir')) } : {}),
    ...(query.has('submodules') ? { submodules: isOn(query.get('submodules')) } : {}),
  };
}

function prefixed(prefix: string, name: string | null): string | null {
  return name === null || name.startsWith(prefix) ? name : `${prefix}${name}`;
}

/** Returns the value that all given ones share, undefined for none, null if they differ. */
function agreed(values: readonly (string | null | undefined)[]): string | undefined | null {
  const given = new Set(values.filter((value) => value !== undefined && value !== null));
  const [first] = given;
  return given.size > 1 ? null : first;
}

/** A switch without a value is on. */
function isOn(value: string | null): boolean {
  return value === '' || goBool(value) === true;
}

/** SHA-1 or SHA-256 in hexadecimal digits. */
function isCommitId(text: string | undefined): boolean {
  return /^(?:[a-f0-9]{40}|[a-f0-9]{64})$/.test(text ?? '');
}
