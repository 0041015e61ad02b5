import type { BucketPlace } from '../request.ts';

/** Returns where the manifests of a bucket are, for messages. */
export function bucketName({ bucket, prefix, manifestsPrefix }: BucketPlace): string {
  const root = bucket.kind === 's3' ? `s3://${bucket.bucket}` : `${bucket.accountUrl}/${bucket.container}`;
  return `${root}/${prefix}${manifestsPrefix}`;
}
