const ALWAYS_CACHED =
  'Leave it out: steps are always cached in the store; --cache-to and --cache-from carry them elsewhere';
const NOT_NEEDED = 'Leave it out: it would change nothing here';
const INSECURE = 'Use --insecure-registry HOST';

/** Options of kaniko and Buildah, each with what to use here. */
export const foreignOptions: Readonly<Record<string, string>> = {
  authfile: 'Set REGISTRY_AUTH_FILE, or use tbuild login',
  cache: ALWAYS_CACHED,
  'cache-copy-layers': ALWAYS_CACHED,
  'cache-dir': ALWAYS_CACHED,
  'cache-repo': 'Use --cache-to type=registry,ref=REF,mode=max and --cache-from REF',
  'cache-run-layers': ALWAYS_CACHED,
  cleanup: NOT_NEEDED,
  compression: 'Use -o type=registry,compression=gzip|zstd',
  'compression-level': 'Use -o type=registry,compression-level=N',
  context: 'Write the context as the last word: tbuild -t NAME DIRECTORY',
  creds: 'Use tbuild login',
  'custom-platform': 'Use --platform',
  destination: 'Use -t NAME --push',
  dockerfile: 'Use -f FILE',
  force: NOT_NEEDED,
  git: 'Use a URL as context: https://host/repository.git#branch',
  insecure: INSECURE,
  'insecure-pull': INSECURE,
  layers: NOT_NEEDED,
  manifest: 'Use -t NAME with several --platform, which make one index',
  'no-push': 'Leave it out: only --push pushes',
  'oci-layout-path': 'Use -o type=oci,tar=false,dest=DIRECTORY',
  'push-retry': 'Leave it out: pushes are retried automatically',
  reproducible: 'Set SOURCE_DATE_EPOCH and use -o type=…,rewrite-timestamp=true',
  'single-snapshot': NOT_NEEDED,
  'skip-tls-verify': INSECURE,
  'skip-tls-verify-pull': INSECURE,
  'skip-tls-verify-registry': INSECURE,
  'skip-unused-stages': 'Leave it out: only stages that the target needs are built',
  'snapshot-mode': NOT_NEEDED,
  'storage-driver': NOT_NEEDED,
  'tar-path': 'Use -o type=docker,dest=FILE',
  timestamp: 'Set SOURCE_DATE_EPOCH and use -o type=…,rewrite-timestamp=true',
  'tls-verify': INSECURE,
  'use-new-run': NOT_NEEDED,
  verbosity: 'Use --progress plain or --quiet',
};
