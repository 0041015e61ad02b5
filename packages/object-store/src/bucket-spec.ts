/** A bucket of S3, or of a service with its protocol. */
export interface S3Spec {
  readonly kind: 's3';
  readonly bucket: string;
  readonly region: string;
  /** The URL of the service. Defaults to that of Amazon in the region. */
  readonly endpoint?: string;
  /** Whether the bucket's name is in the path instead of the host name. */
  readonly usesPath: boolean;
}

/** A container of Azure Blob Storage. */
export interface AzureSpec {
  readonly kind: 'azblob';
  readonly accountUrl: string;
  readonly account: string;
  readonly container: string;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A bucket, with the credentials that the user gives for it. */
export type BucketSpec =
  | (S3Spec & { readonly credentials?: S3Credentials })
  | (AzureSpec & { readonly accountKey?: string });

/** The key of a storage account, or a token of Microsoft Entra. */
export type AzureCredential =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'token'; readonly token: string };
