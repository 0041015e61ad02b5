/** One output as a user writes it. Names and meanings are those of the options of `--output`. */
export type OutputOptions =
  | ({
      readonly type: 'image' | 'registry';
      readonly push?: boolean;
      readonly store?: boolean;
      readonly 'push-by-digest'?: boolean;
      readonly 'registry.insecure'?: boolean;
      readonly 'name-canonical'?: boolean;
      readonly 'dangling-name-prefix'?: string;
      readonly 'dangling-name-empty-only'?: boolean;
    } & ImageOptions)
  /** An archive; without `dest` the image is loaded into an engine. */
  | ({ readonly type: 'docker'; readonly dest?: string; readonly context?: string } & ImageOptions)
  /** An archive, or a directory unless `tar`. */
  | ({ readonly type: 'oci'; readonly dest: string; readonly tar?: boolean } & ImageOptions)
  | {
      readonly type: 'tar' | 'local';
      readonly dest: string;
      readonly mode?: 'copy' | 'delete';
      /** For `local`: what to write, and whether also when the build fails. */
      readonly from?: string;
      readonly when?: 'success' | 'failure' | 'always';
      readonly 'platform-split'?: boolean;
      readonly 'attestation-prefix'?: string;
      /** Seconds since 1970; empty for none. */
      readonly 'source-date-epoch'?: string;
    }
  | { readonly type: 'cacheonly' };

/** How an output that is an image is encoded. */
export interface ImageOptions {
  /** Names for this output, where the build has no tags. */
  readonly name?: string | readonly string[];
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly 'compression-level'?: number;
  readonly 'force-compression'?: boolean;
  readonly 'oci-mediatypes'?: boolean;
  readonly 'oci-artifact'?: boolean;
  readonly 'rewrite-timestamp'?: boolean;
  /** Seconds since 1970; empty for none. */
  readonly 'source-date-epoch'?: string;
  readonly [annotation: `annotation${string}`]: string;
}
