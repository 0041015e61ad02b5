/** A cache to take steps from; the options are those of `--cache-from`. */
export type CacheSource =
  | { readonly type: 'registry'; readonly ref: string }
  | { readonly type: 'local'; readonly src: string; readonly tag?: string; readonly digest?: string };

/** A cache to save the steps in; the options are those of `--cache-to`. */
export type CacheTarget =
  | ({ readonly type: 'registry'; readonly ref: string } & CacheOptions)
  | ({ readonly type: 'local'; readonly dest: string; readonly tag?: string } & CacheOptions)
  | { readonly type: 'inline' };

/** How a cache is saved. */
export interface CacheOptions {
  readonly mode?: 'min' | 'max';
  readonly mounts?: boolean;
  readonly 'ignore-error'?: boolean;
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly 'compression-level'?: number;
  readonly 'force-compression'?: boolean;
}
