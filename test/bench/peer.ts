import type { BaseImageName } from '../support/base-images.ts';

export type Compression = 'gzip' | 'zstd' | 'uncompressed';

export interface PeerBuild {
  readonly noCache?: boolean;
  /** Images that FROM names, besides busybox. */
  readonly bases?: readonly BaseImageName[];
  /** Full reference to push the image to. */
  readonly push?: string;
  /** File to write the image to. */
  readonly archive?: { readonly path: string; readonly compression: Compression };
  /** Lets base images be pulled from a registry. */
  readonly pull?: boolean;
  readonly platform?: string;
  /** How RUN steps are contained, of those that the peer lists. */
  readonly isolation?: Isolation;
}

/** A way to contain RUN steps: one of tbuild's, `oci` by the runtime that does it. */
export type Isolation = 'namespace' | 'chroot' | 'crun' | 'runc';

/** One builder under measurement, with a state of its own. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** What it can write archives with. */
  readonly archives: readonly Compression[];
  /** How it can be told to contain RUN steps. */
  readonly isolations?: readonly Isolation[];
  /** Builds the context in a directory; throws when that fails. */
  build(context: string, options?: PeerBuild): Promise<unknown>;
  /** Makes an image known, if it is not, that FROM names. Not measured. */
  addBase(name: BaseImageName): Promise<void>;
  /** Drops all that it keeps from earlier builds. Not measured. */
  forget(): Promise<void>;
  /** Most memory resident in the last build, in bytes. */
  peakMemory?(): number | undefined;
}
