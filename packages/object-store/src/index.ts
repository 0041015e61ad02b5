export type { Bucket } from './bucket.ts';
export type { AzureCredential, BucketSpec, S3Credentials } from './bucket-spec.ts';
export { openAzureBucket } from './azure-bucket.ts';
export { createObjectBlobs } from './object-blobs.ts';
export type { ObjectBlobs, ObjectPlaces } from './object-blobs.ts';
export { openS3Bucket } from './s3-bucket.ts';
