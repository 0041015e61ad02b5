import type { BaseImageName } from '../support/base-images.ts';

export type Compression = 'gzip' | 'zstd' | 'uncompressed';

export interface PeerBuild {
  readonly noCache?: boolean;
  /** Images that FROM names, besides busybox. */
  readonly bases?: readonly BaseImageName[];
  /** Values of `--build-context` by name, for tbuild. */
  readonly contexts?: Readonly<Record<string, string>>;
  /** More names of the image, for tbuild. */
  readonly names?: readonly string[];
  /** Full reference to push the image to. */
  readonly push?: string;
  /** File to write the image to. */
  readonly archive?: { readonly path: string; readonly compression: Compression };
  /** Lets base images be pulled from a registry. */
  readonly pull?: boolean;
  readonly platform?: string;
  /** The address of the Docker that is to have the image, for peers that load. */
  readonly loadInto?: string;
  /** The isolation of RUN steps, one that the peer lists. */
  readonly isolation?: Isolation;
}

/** An isolation of RUN steps: one of tbuild's, with `oci` named by its runtime. */
export type Isolation = 'namespace' | 'chroot' | 'crun' | 'runc';

/** Builds targets of the bake file in a directory, all without names; throws when that fails. */
export type Bake = (directory: string, targets?: readonly string[]) => Promise<unknown>;

export interface Caching {
  /** The values of the options `--cache-to` and `--cache-from`. */
  readonly cacheTo?: string;
  readonly cacheFrom?: string;
  /** Full reference to push the image to. */
  readonly push?: string;
}

/** Builds the context in a directory with caches elsewhere; throws when that fails. */
export type BuildAndCache = (context: string, caching: Caching) => Promise<unknown>;

/** One builder under measurement, with a state of its own. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** The compressions of its archives. */
  readonly archives: readonly Compression[];
  /** The isolations that it supports. */
  readonly isolations?: readonly Isolation[];
  /** The address of its Docker. */
  readonly engine?: string;
  /** Whether its images can go into a Docker. */
  readonly loads?: boolean;
  /** Builds the context in a directory; throws when that fails. */
  build(context: string, options?: PeerBuild): Promise<unknown>;
  /** Makes ready to bake. Undefined for a peer that cannot. Not measured. */
  openBake?(): Promise<Bake>;
  /** Makes ready to import and export caches. Undefined for a peer that cannot. Not measured. */
  openCaching?(): Promise<BuildAndCache>;
  /** Provides an image that FROM names, unless it is there. Not measured. */
  addBase(name: BaseImageName): Promise<void>;
  /** Clears the caches of earlier builds. Not measured. */
  forget(): Promise<void>;
  /** Most memory resident in the last build, in bytes. */
  peakMemory?(): number | undefined;
}
