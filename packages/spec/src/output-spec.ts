import type { ImageFormat, StoredNames } from './image-format.ts';

/** One output, with every option read: destinations are absolute paths or `-` for standard output, names are full references. */
export type OutputSpec =
  | ({
      readonly type: 'image';
      readonly push: boolean;
      /** Keep the image in the store too. Defaults to true. */
      readonly store?: boolean;
      readonly byDigest?: boolean;
      /** The registries of its names may be spoken to without TLS. */
      readonly insecure?: boolean;
    } & StoredNames &
      NamedOutput)
  | ({
      readonly type: 'docker';
      /** An archive; without one, the image is loaded into an engine. */
      readonly destination?: string;
      /** The engine to load into: the name of one of Docker's contexts. */
      readonly engineContext?: string;
      /** Whether several platforms are loaded, for which the engine needs a store of indexes. */
      readonly severalPlatforms?: boolean;
    } & NamedOutput)
  | ({ readonly type: 'oci'; readonly destination: string; readonly tar: boolean } & NamedOutput)
  | ({ readonly type: 'tar' } & TreeOutput)
  | ({
      readonly type: 'local';
      /** Whether other files in the directory stay (`copy`, the default) or are deleted. */
      readonly mode?: 'copy' | 'delete';
      /** Write only this directory or file of the tree: an absolute path. */
      readonly from?: string;
      /** `failure` and `always` write files of the failed step when the build fails. Defaults to `success`. */
      readonly when?: 'success' | 'failure' | 'always';
    } & TreeOutput)
  | { readonly type: 'cacheonly' };

/** Times of an output. */
interface DatedOutput {
  /** Its own `SOURCE_DATE_EPOCH`, in milliseconds, or none. Defaults to that of the build. */
  readonly epoch?: number | 'none';
}

/** An output that is files. */
interface TreeOutput extends DatedOutput {
  readonly destination: string;
  /** Make a directory for each platform. Defaults to true when there are several. */
  readonly platformSplit?: boolean;
  /** A prefix for the file names of attestations. */
  readonly attestationPrefix?: string;
}

/** An output that is an image. */
interface NamedOutput extends ImageFormat, DatedOutput {
  /** Full references, where the build has no tags. */
  readonly names?: readonly string[];
}
