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
import type { Environment } from '../config/environment.ts';

/** Opens the caches of a bucket, with the given credentials or those that the vendor's library finds. */
export function openBucket({ bucket, ...places }: BucketPlace, web: WebClient, env: Environment): ObjectBlobs {
  return createObjectBlobs(openOf(bucket, web, env), { ...places, clock: web.clock });
}

function openOf(spec: BucketSpec, web: WebClient, env: Environment): Bucket {
  if (spec.kind === 's3') {
    const { credentials: given, ...place } = spec;
    return openS3Bucket(place, { web, credentials: given === undefined ? amazonCredentials(web) : async () => given });
  }
  const { accountKey: key, ...place } = spec;
  return openAzureBucket(place, {
    web,
    credential: key === undefined ? azureToken(web, env) : async () => ({ kind: 'key', key }),
  });
}

/** Finds credentials as the tools of AWS do: environment, files, web identity, container, machine. */
function amazonCredentials(web: WebClient): () => Promise<S3Credentials> {
  // Of all that ask at once, one loads it.
  let loading: Promise<() => Promise<S3Credentials>> | undefined;
  const load = async () => (await import('./aws-credentials.ts')).amazonCredentialSource(web);
  return async () => {
    try {
      return await (
        await (loading ??= load())
      )();
    } catch (cause) {
      throw new TbuildError('UNAUTHORIZED', 'No credentials of AWS were found', {
        hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
        cause,
      });
    }
  };
}

/** Gets a token as the tools of Azure do: environment, federated identity, machine. */
function azureToken(web: WebClient, env: Environment): () => Promise<AzureCredential> {
  let loading: Promise<() => Promise<string>> | undefined;
  const load = async () => (await import('./azure-token.ts')).azureTokenSource(web, env);
  return async () => {
    try {
      return { kind: 'token', token: await (await (loading ??= load()))() };
    } catch (cause) {
      throw new TbuildError('UNAUTHORIZED', 'No credentials of Azure were found', {
        hint: 'Give secret_access_key=, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET',
        cause,
      });
    }
  };
}
