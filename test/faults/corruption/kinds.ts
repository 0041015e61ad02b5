import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram } from '../../support/requirements.ts';

/** A kind of file in a store. */
export interface Kind {
  readonly name: string;
  /** Below the root. */
  readonly directory: string;
  /** How many directories further down the files are. */
  readonly depth?: number;
  /** Chooses files by their path below the root. */
  readonly accepts?: RegExp;
  /**
   * Whether fsck finds every damage. It cannot find damage that leaves a valid file: a line of a log, an older list of
   * names, contents whose digest nobody knows.
   */
  readonly isFound: boolean;
  /** What the builds need for such files to come about. */
  readonly source?: 'registry' | 'web' | 'git';
}

const HEX = '[0-9a-f]{64}';

export const KINDS: readonly Kind[] = [
  { name: 'blob', directory: 'blobs/sha256', isFound: true },
  { name: 'image name', directory: 'refs', isFound: false },
  { name: 'index', directory: '', accepts: /^(index\.json|oci-layout)$/, isFound: true },
  { name: 'record', directory: 'records', isFound: true },
  { name: 'layer', directory: 'layers', isFound: true },
  { name: 'part digest', directory: 'digests', depth: 1, isFound: true },
  { name: 'variant', directory: 'variants', depth: 1, isFound: true },
  { name: 'stack', directory: 'snapshots', depth: 1, accepts: new RegExp(`/${HEX}/stack$`), isFound: true },
  { name: 'file of a tree', directory: 'snapshots', depth: 4, accepts: /\/fs\/w\//, isFound: true },
  // No image has this step, so its layer was never packed.
  { name: 'file of a tree without a layer', directory: 'snapshots', depth: 4, accepts: /\/fs\/own\//, isFound: false },
  { name: 'resolved image', directory: 'resolved', isFound: true, source: 'registry' },
  { name: 'fetched URL', directory: 'http', isFound: true, source: 'web' },
  {
    name: 'git repository',
    directory: 'git',
    depth: 4,
    accepts: /\/(HEAD|config|shallow|objects\/.*)$/,
    isFound: false,
    source: 'git',
  },
  { name: 'list of a copy', directory: 'copies', isFound: false },
  { name: 'explanation', directory: 'explain', depth: 1, isFound: false },
  { name: 'build record', directory: 'builds', depth: 1, accepts: /\/(record|failed)$/, isFound: true },
  { name: 'build events', directory: 'builds', depth: 1, accepts: /\/events$/, isFound: false },
  { name: 'context index', directory: 'context-index', isFound: false },
  { name: 'secret key', directory: '', accepts: /^secret-key$/, isFound: false },
  { name: 'mark', directory: '', accepts: /^(synced|synced\.lock|format|sizes)$/, isFound: false },
  { name: 'mark of a cache mount', directory: 'cache-mounts', depth: 1, isFound: false },
];

/** Returns the kinds that can come about on this machine. */
export function possibleKinds(): readonly Kind[] {
  return KINDS.filter(({ source }) => source !== 'registry' || hasProgram('docker-registry'));
}

/** Returns the files of a kind, by path below the root. */
export function filesOf({ directory, depth = 0, accepts = /(?:)/ }: Kind, root: string): readonly string[] {
  return filesIn(root, directory, depth)
    .filter((path) => accepts.test(path))
    .toSorted();
}

function filesIn(root: string, directory: string, depth: number): readonly string[] {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory)).flatMap((name) => {
    const path = directory === '' ? name : `${directory}/${name}`;
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats?.isFile()) return [path];
    return stats?.isDirectory() && depth > 0 ? filesIn(root, path, depth - 1) : [];
  });
}

/** Orders files by their bytes: the names of results differ in each store, but not what most of their files hold. */
export function byContent(root: string, paths: readonly string[]): readonly string[] {
  return paths.toSorted((a, b) => Buffer.compare(readFileSync(join(root, a)), readFileSync(join(root, b))));
}
