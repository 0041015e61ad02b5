import type { BucketPlace } from '@tbuild/builder';
import { TbuildError } from '@tbuild/errors';
import {
  type AzureCredential,
  type Bucket,
  type BucketSpec,
  createObjectBlobs,
  type ObjectBlobs,
  openAzureBucket,
  openS3Bucket,
  type S3Credentials,
} from '@tbuild/object-store';
import type { WebClient } from '@tbuild/registry';

/** Opens the caches of a bucket, with the given credentials or those that the vendor's library finds. */
export function openBucket({ bucket, ...places }: BucketPlace, web: WebClient): ObjectBlobs {
  return createObjectBlobs(openOf(bucket, web), { ...places, clock: web.clock });
}

function openOf(spec: BucketSpec, web: WebClient): Bucket {
  if (spec.kind === 's3') {
    const { credentials: given, ...place } = spec;
    return openS3Bucket(place, { web, credentials: given === undefined ? amazonCredentials() : async () => given });
  }
  const { accountKey: key, ...place } = spec;
  return openAzureBucket(place, {
    web,
    credential: key === undefined ? azureToken() : async () => ({ kind: 'key', key }),
  });
}

/** Finds credentials as the tools of AWS do: environment, files, web identity, container, machine. */
function amazonCredentials(): () => Promise<S3Credentials> {
  let find: (() => Promise<S3Credentials>) | undefined;
  return async () => {
    find ??= (await import('./aws-credentials.ts')).defaultProvider();
    try {
      return await find();
    } catch (cause) {
      throw new TbuildError('UNAUTHORIZED', 'No credentials of AWS were found', {
        hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
        cause,
      });
    }
  };
}

/** Gets a token as the tools of Azure do: environment, federated identity, machine. */
function azureToken(): () => Promise<AzureCredential> {
  let ask: (() => Promise<string>) | undefined;
  return async () => {
    ask ??= (await import('./azure-token.ts')).azureTokenSource();
    try {
      return { kind: 'token', token: await ask() };
    } catch (cause) {
      throw new TbuildError('UNAUTHORIZED', 'No credentials of Azure were found', {
        hint: 'Give secret_access_key=, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
        cause,
      });
    }
  };
}
