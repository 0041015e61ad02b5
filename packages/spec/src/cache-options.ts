/** A cache to take steps from; the options are those of `--cache-from`. */
export type CacheSource =
  | { readonly type: 'registry'; readonly ref: string; readonly 'registry.insecure'?: boolean }
  | { readonly type: 'local'; readonly src: string; readonly tag?: string; readonly digest?: string }
  | ({ readonly type: 's3' } & S3Options)
  | ({ readonly type: 'azblob' } & AzureOptions);

/** A cache to save the steps in; the options are those of `--cache-to`. */
export type CacheTarget =
  | ({ readonly type: 'registry'; readonly ref: string; readonly 'registry.insecure'?: boolean } & CacheOptions)
  | ({ readonly type: 'local'; readonly dest: string; readonly tag?: string } & CacheOptions)
  | ({ readonly type: 's3'; readonly touch_refresh?: string; readonly upload_parallelism?: number } & S3Options &
      CacheOptions)
  | ({ readonly type: 'azblob' } & AzureOptions & CacheOptions)
  | { readonly type: 'inline' };

/** Where a cache is in a bucket. Several names are separated by `;`. */
export interface BucketOptions {
  readonly prefix?: string;
  readonly name?: string;
  readonly blobs_prefix?: string;
  readonly manifests_prefix?: string;
}

/** A bucket of S3. What is missing comes from the environment and the configuration of AWS. */
export interface S3Options extends BucketOptions {
  readonly bucket?: string;
  readonly region?: string;
  readonly endpoint_url?: string;
  readonly use_path_style?: boolean;
  readonly access_key_id?: string;
  readonly secret_access_key?: string;
  readonly session_token?: string;
}

/** A container of Azure Blob Storage. What is missing comes from the environment. */
export interface AzureOptions extends BucketOptions {
  readonly account_url?: string;
  readonly account_name?: string;
  readonly container?: string;
  readonly secret_access_key?: string;
}

/** How a cache is saved. */
export interface CacheOptions {
  readonly mode?: 'min' | 'max';
  readonly mounts?: boolean;
  readonly 'ignore-error'?: boolean;
  readonly compression?: 'uncompressed' | 'gzip' | 'zstd';
  readonly 'compression-level'?: number;
  readonly 'force-compression'?: boolean;
}
