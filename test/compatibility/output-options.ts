import { row, type Row } from './row.ts';

const OPTIONS = 'test/e2e/images/output-options.test.ts';
const OUTPUTS = 'test/e2e/images/outputs.test.ts';
const CACHES = 'test/e2e/cache/cache-transfer.test.ts';
const REGISTRY = 'test/e2e/cache/cache-registry.test.ts';
const BUCKETS = 'test/e2e/cache/cache-buckets.test.ts';
const FOREIGN = 'test/e2e/cache/cache-foreign.test.ts';
const S3 = 'type=s3,region=a,bucket=abc';
const AZURE = 'type=azblob,account_url=https://a';
const NAMED = 'the default is `tbuild`, so that no cache of BuildKit is replaced';
const IGNORED = 'ignored: a warning, and the build goes on without';

/** The keys that both directions share. */
const bucketKeys: readonly Row[] = [
  row(S3, BUCKETS, { word: 'type=s3' }),
  row(`${S3},name=x`, BUCKETS, { word: 'name=', differs: NAMED }),
  row(`${S3},prefix=x,blobs_prefix=y,manifests_prefix=z`, BUCKETS, { word: 'blobs_prefix' }),
  row(`${S3},access_key_id=x,secret_access_key=y`, BUCKETS, { word: 'secret_access_key' }),
  row(`${S3},endpoint_url=https://b,use_path_style=true`, BUCKETS, { word: 'use_path_style' }),
  row(AZURE, BUCKETS, { word: 'type=azblob' }),
  row(`${AZURE},name=x`, BUCKETS, { word: 'name=', differs: NAMED }),
  row(`${AZURE},prefix=x,container=y`, BUCKETS, { word: 'container=' }),
  row(`${AZURE},secret_access_key=x`, BUCKETS, { word: 'secret_access_key' }),
  row('type=gha', FOREIGN, { word: 'gha', differs: IGNORED }),
];

/** Types of `--output` and their options, each as a value to parse. */
export const outputs: readonly Row[] = [
  row('type=image', OPTIONS),
  row('type=image,name=a', OPTIONS, { word: 'name=', differs: '`-t` wins, as with buildx' }),
  row('type=image,push=true,name=a', OPTIONS, { word: 'push=true' }),
  row('type=image,push-by-digest=true', OPTIONS, { word: 'push-by-digest' }),
  row('type=image,registry.insecure=true', 'test/e2e/registry/registry-access.test.ts', { word: 'registry.insecure' }),
  row('type=image,unpack=true', OPTIONS, {
    word: 'unpack=true',
    differs: 'has no effect: a step that needs files unpacks them',
  }),
  row('type=image,store=false', OPTIONS, { word: 'store=' }),
  row('type=image,dangling-name-prefix=x', OPTIONS, { word: 'dangling-name-prefix' }),
  row('type=image,danging-name-empty-only=true', OPTIONS, { word: 'danging-name-empty-only' }),
  row('type=image,name-canonical=true', OPTIONS, { word: 'name-canonical' }),
  row('type=image,compression=uncompressed', OPTIONS, { word: 'compression=uncompressed' }),
  row('type=image,compression=gzip', 'test/e2e/images/engines.test.ts', { word: 'compression=gzip' }),
  row('type=image,compression=zstd', 'test/e2e/images/zstd.test.ts', {
    word: 'compression=zstd',
    differs: 'needs Node 22.15 or later',
  }),
  row('type=image,compression=estargz', 'test/goldens/cases/outputs.ts', { word: 'compression=estargz' }),
  row('type=image,compression-level=9', OPTIONS, { word: 'compression-level' }),
  row('type=image,force-compression=true', OPTIONS, { word: 'force-compression' }),
  row('type=image,oci-mediatypes=false', OPTIONS, { word: 'oci-mediatypes=false' }),
  row('type=image,oci-artifact=true', OPTIONS, { word: 'oci-artifact' }),
  row('type=image,attestation-inline=true', OPTIONS, {
    word: 'attestation-inline',
    differs: 'accepted: they always are',
  }),
  row('type=image,prefer-nondist-layers=true', OPTIONS, {
    word: 'prefer-nondist-layers',
    differs: 'accepted: layers that must not be distributed always stay so',
  }),
  row('type=image,rewrite-timestamp=true', 'test/e2e/images/reproducible.test.ts', { word: 'rewrite-timestamp' }),
  row('type=image,source-date-epoch=0', 'test/e2e/images/source-date-epoch.test.ts', { word: 'source-date-epoch=1' }),
  row('type=image,annotation.a=b', OPTIONS, { word: 'annotation' }),
  row('type=registry,name=a', 'test/e2e/cache/cache-registry.test.ts', { word: 'type=registry' }),
  row('type=docker', 'test/e2e/images/load.test.ts', { word: '--load' }),
  row('type=docker,dest=a.tar', OUTPUTS, { word: 'type=docker' }),
  row('type=docker,context=a', 'test/e2e/images/load-engines.test.ts', { word: 'type=docker,context=far' }),
  row('type=oci,dest=a.tar', OUTPUTS, { word: 'type=oci' }),
  row('type=oci,tar=false,dest=a', OPTIONS, { word: 'tar=false' }),
  row('type=local,dest=a', OUTPUTS, { word: 'type=local' }),
  row('type=local,dest=a,mode=delete', OPTIONS, { word: 'mode=delete' }),
  row('type=local,dest=a,platform-split=false', OPTIONS, { word: 'platform-split' }),
  row('type=local,dest=a,attestation-prefix=x', OPTIONS, { word: 'attestation-prefix' }),
  row('type=tar,dest=a.tar', OUTPUTS, { word: 'type=tar' }),
  row('type=cacheonly', 'test/e2e/cache/cache-prune.test.ts'),
];

/** Types of `--cache-from` and their keys. */
export const cacheSources: readonly Row[] = [
  row('type=registry,ref=a', REGISTRY, { word: 'ref=' }),
  row('type=local,src=a', CACHES, { word: 'src=' }),
  row('type=local,src=a,tag=b', 'test/compatibility.test.ts', { word: 'tag=b' }),
  row('type=registry,ref=a,registry.insecure=true', FOREIGN, { word: 'registry.insecure' }),
  ...bucketKeys,
];

/** Types of `--cache-to` and their keys. */
export const cacheTargets: readonly Row[] = [
  row('type=inline', REGISTRY),
  row('type=registry,ref=a', REGISTRY, { word: 'ref=' }),
  row('type=registry,ref=a,mode=max', REGISTRY, {
    word: 'mode=max',
    differs: 'steps of all stages are recorded in any mode',
  }),
  row('type=registry,ref=a,image-manifest=true', REGISTRY, { word: 'image-manifest=true' }),
  row('type=registry,ref=a,image-manifest=false', 'test/compatibility.test.ts', { word: 'image-manifest=false' }),
  row('type=registry,ref=a,oci-mediatypes=true', REGISTRY, { word: 'oci-mediatypes=true' }),
  row('type=registry,ref=a,compression=zstd', 'test/e2e/images/zstd.test.ts', {
    word: 'mode=max,compression=zstd',
    differs: 'needs Node 22.15 or later',
  }),
  row('type=registry,ref=a,ignore-error=true', CACHES, { word: 'ignore-error' }),
  row('type=local,dest=a', CACHES, { word: 'dest=' }),
  row('type=local,dest=a,reset=true', 'test/compatibility.test.ts', { word: 'reset=true' }),
  row('type=registry,ref=a,registry.insecure=true', FOREIGN, { word: 'registry.insecure' }),
  ...bucketKeys,
  row(`${S3},touch_refresh=24h`, BUCKETS, { word: 'touch_refresh' }),
  row(`${S3},upload_parallelism=4`, BUCKETS, { word: 'upload_parallelism' }),
];
