import { digestOf, hexOf, type Digest } from '@tbuild/oci';

/**
 * Every path below a store's root. No other package joins a path with the root. `docs/store-layout.md` describes the contents of each
 * directory, its writer, and the effect of missing or damaged parts.
 */
export interface StoreLayout {
  readonly root: string;

  /** Blobs by digest, as an OCI image layout keeps them. */
  readonly blobs: string;
  /** One file for each image name; `index.json` is generated from them. */
  readonly refs: string;
  /** Unfinished files. */
  readonly temporary: string;
  /** Files of running builds outside of their trees. */
  readonly run: string;
  /** Removed entries that are not deleted yet. */
  readonly trash: string;
  /** One file for each running build. */
  readonly leases: string;
  /** One file for each process that removes entries. Builds wait for them before they begin. */
  readonly removals: string;
  /** The random key of the hashes that stand for secrets in keys of steps. */
  readonly secretKey: string;
  /** One file for each step record, by key. */
  readonly records: string;
  /** Committed trees, and unfinished ones in `.active`. */
  readonly snapshots: string;
  readonly activeSnapshots: string;
  /** The layer of each result. */
  readonly layers: string;
  /** Digests of parts of each result's tree. */
  readonly digests: string;
  /** Compressed forms of each layer, by diff ID. */
  readonly variants: string;
  /** The resolved manifest of each image reference. */
  readonly resolved: string;
  /** The last response of each URL. */
  readonly http: string;
  /** Bare repositories by URL. */
  readonly git: string;
  /** The files of large copies, of which the next build copies only the changed ones. */
  readonly copies: string;
  /** The parts of each step's key when it ran last. */
  readonly explain: string;
  /** What is remembered of each build, by ID. */
  readonly builds: string;
  /** Digests of files of contexts by their stats. */
  readonly contextIndex: string;
  /** Directories of cache mounts, by key. */
  readonly cacheMounts: string;
  /** The format of the store, a number. */
  readonly format: string;
  /** Its mtime is the time up to which everything is on disk. */
  readonly syncMarker: string;
  /** Held while unsynced entries are dropped. */
  readonly syncLock: string;
  /** The sizes of trees, cache mounts and git mirrors. */
  readonly sizes: string;
  /** Held while the build cache is kept within its limits. */
  readonly sizesLock: string;

  /** The file of the process that runs the step of a key. */
  turn(key: Digest): string;
  snapshot(name: string): string;
  layer(result: Digest): string;
  digestsOf(result: Digest): string;
  variantsOf(diffId: Digest): string;
  /** `reference` with its platform. */
  resolvedReference(reference: string): string;
  httpMemo(url: string): string;
  gitMirror(url: string): string;
  /** `copy` describes the instruction and its base. */
  copyMemo(copy: string): string;
  /** The explanations of the steps of one Dockerfile. */
  explanations(scope: string): string;
  build(id: string): string;
  cacheMount(key: string): string;
}

/** Returns the paths of the store at `root`. Creates nothing. */
export function storeLayout(root: string): StoreLayout {
  // Every build asks for dozens of these: no path needs to be normalized again.
  const inRoot = (name: string): string => `${root}/${name}`;
  const [layers, digests, variants] = [inRoot('layers'), inRoot('digests'), inRoot('variants')];
  const [resolved, http, git, copies] = [inRoot('resolved'), inRoot('http'), inRoot('git'), inRoot('copies')];
  const [snapshots, explain, cacheMounts] = [inRoot('snapshots'), inRoot('explain'), inRoot('cache-mounts')];
  const builds = inRoot('builds');
  return {
    root,
    blobs: inRoot('blobs/sha256'),
    refs: inRoot('refs'),
    temporary: inRoot('tmp'),
    run: inRoot('run'),
    trash: inRoot('trash'),
    leases: inRoot('leases'),
    removals: inRoot('removals'),
    secretKey: inRoot('secret-key'),
    records: inRoot('records'),
    snapshots,
    activeSnapshots: `${snapshots}/.active`,
    layers,
    digests,
    variants,
    resolved,
    http,
    git,
    copies,
    explain,
    builds,
    contextIndex: inRoot('context-index'),
    cacheMounts,
    format: inRoot('format'),
    syncMarker: inRoot('synced'),
    syncLock: inRoot('synced.lock'),
    sizes: inRoot('sizes'),
    sizesLock: inRoot('sizes.lock'),
    turn: (key) => `${root}/run/turn-${hexOf(key)}`,
    snapshot: (name) => `${snapshots}/${name}`,
    layer: (result) => `${layers}/${hexOf(result)}`,
    digestsOf: (result) => `${digests}/${hexOf(result)}`,
    variantsOf: (diffId) => `${variants}/${hexOf(diffId)}`,
    resolvedReference: (reference) => `${resolved}/${nameOf(reference)}`,
    httpMemo: (url) => `${http}/${nameOf(url)}`,
    gitMirror: (url) => `${git}/${nameOf(url)}`,
    copyMemo: (copy) => `${copies}/${nameOf(copy)}`,
    explanations: (scope) => `${explain}/${nameOf(scope).slice(0, 32)}`,
    build: (id) => `${builds}/${id}`,
    cacheMount: (key) => `${cacheMounts}/${key}`,
  };
}

/** Returns a file name for any text. */
function nameOf(text: string): string {
  return hexOf(digestOf(text));
}
