import type { BucketPlace } from '@tbuild/builder';
import type { Environment } from '../config/environment.ts';
import { parseSpan } from '../flags/sizes.ts';
import type { OptionFields } from './option-fields.ts';

/** BuildKit's default is `buildkit`. A name of its own keeps either builder from replacing the other's cache. */
const NAME = 'tbuild';
/** BuildKit's default, for rules of a bucket that delete what is older than some days. */
const TOUCH_AFTER = '24h';
const MOST_AT_ONCE = 64;

type Variables = Environment['variables'];
type Bucket = BucketPlace['bucket'];

/** Types of caches in buckets, with what reads their own fields. */
export const bucketReaders = { s3: s3Bucket, azblob: azureBucket } as const;

/** Reads where caches are in a bucket. */
export function bucketPlace(fields: OptionFields, bucket: Bucket): BucketPlace {
  return {
    bucket,
    prefix: fields.text('prefix') ?? '',
    blobsPrefix: fields.text('blobs_prefix') ?? 'blobs/',
    manifestsPrefix: fields.text('manifests_prefix') ?? 'manifests/',
  };
}

/** Reads the name of a cache, of several the first. */
export function cacheName(fields: OptionFields): string {
  return cacheNames(fields)[0] ?? NAME;
}

/** Reads the names of a cache, with `;` between. */
export function cacheNames(fields: OptionFields): readonly string[] {
  const names = (fields.text('name') ?? '').split(';').filter((name) => name !== '');
  return names.length === 0 ? [NAME] : names;
}

/** Reads how blobs are uploaded. Azure's have no age that a rule counts from their last use. */
export function uploadOptions(fields: OptionFields, kind: Bucket['kind']) {
  if (kind === 'azblob') return {};
  const touchAfter = parseSpan(fields.text('touch_refresh') ?? TOUCH_AFTER, 'touch_refresh');
  const reason = `upload_parallelism must be a number from 1 to ${MOST_AT_ONCE}`;
  const parallelism = fields.number('upload_parallelism', MOST_AT_ONCE, reason);
  if (parallelism === 0) throw fields.invalid(reason);
  return { touchAfter, parallelism };
}

function s3Bucket(fields: OptionFields, variables: Variables): Bucket {
  const bucket = fields.text('bucket') ?? variables.AWS_BUCKET ?? '';
  const region = fields.text('region') ?? variables.AWS_REGION ?? variables.AWS_DEFAULT_REGION ?? '';
  if (!/^[a-z0-9][a-z0-9._-]{1,254}$/i.test(bucket))
    throw fields.invalid('bucket= or AWS_BUCKET must be the name of a bucket');
  if (!/^[\w-]+$/.test(region)) throw fields.invalid('region= or AWS_REGION must be the name of a region');
  const endpoint = fields.text('endpoint_url') ?? variables.AWS_ENDPOINT_URL_S3 ?? variables.AWS_ENDPOINT_URL;
  const accessKeyId = fields.text('access_key_id');
  const secretAccessKey = fields.text('secret_access_key');
  const sessionToken = fields.text('session_token');
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw fields.invalid('access_key_id and secret_access_key need each other');
  return {
    kind: 's3',
    bucket,
    region,
    endpoint: endpoint === undefined || endpoint === '' ? undefined : address(fields, 'endpoint_url', endpoint),
    usesPath: fields.flag('use_path_style') ?? false,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, sessionToken },
  };
}

function azureBucket(fields: OptionFields, variables: Variables): Bucket {
  const given = fields.text('account_url') ?? variables.BUILDKIT_AZURE_STORAGE_ACCOUNT_URL;
  if (given === undefined || given === '')
    throw fields.invalid('account_url= or BUILDKIT_AZURE_STORAGE_ACCOUNT_URL is required');
  const accountUrl = address(fields, 'account_url', given);
  const name = fields.text('account_name') ?? variables.BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME;
  return {
    kind: 'azblob',
    accountUrl,
    account: name === undefined || name === '' ? accountOf(new URL(accountUrl)) : name,
    container: fields.text('container') ?? variables.BUILDKIT_AZURE_STORAGE_CONTAINER ?? 'buildkit-cache',
    accountKey: fields.text('secret_access_key'),
  };
}

/** The account is the first part of the host's name; an address has it in its path. */
function accountOf({ hostname, pathname }: URL): string {
  const isAddress = /^[\d.]+$|^\[|^localhost$/.test(hostname);
  return (isAddress ? pathname.split('/')[1] : hostname.split('.')[0]) ?? '';
}

function address(fields: OptionFields, name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    throw fields.invalid(`${name} must be a URL that starts with https:// or http://`);
  return text;
}
