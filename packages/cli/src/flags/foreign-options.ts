const ALWAYS_CACHED =
  'Leave it out: steps are always cached in the store; --cache-to and --cache-from carry them elsewhere';
const NOT_NEEDED = 'Leave it out: it would change nothing here';
const RETRIED = 'Leave it out: transfers are retried automatically';
const INSECURE = 'Use --insecure-registry HOST';
const CERTIFICATE = 'Put it into /etc/docker/certs.d/HOST/ or ~/.docker/certs.d/HOST/: ca.crt, client.cert, client.key';
const CREDENTIALS = 'Use tbuild login, or DOCKER_CONFIG';
const NAMESPACES = 'Leave it out: each step has namespaces of its own; --isolation chooses how they are made';
const PRIVILEGES = 'Use RUN --security=insecure with --allow security.insecure for more privileges';
const PLATFORM = 'Use --platform OS/ARCH[/VARIANT]';
const IN_DOCKERFILE = 'Use the instruction of the Dockerfile for it';
const EPOCH = 'Set SOURCE_DATE_EPOCH, or use --timestamp SECONDS';
const LOG = 'Redirect standard error: 2> FILE';
const SCANNER = 'Use --sbom=true, or --sbom=generator=IMAGE with the image of a scanner';

/** Options of kaniko, each with what to use here. */
const kanikoOptions = {
  cache: ALWAYS_CACHED,
  'cache-copy-layers': ALWAYS_CACHED,
  'cache-dir': ALWAYS_CACHED,
  'cache-repo': 'Use --cache-to type=registry,ref=REF,mode=max and --cache-from REF',
  'cache-run-layers': ALWAYS_CACHED,
  cleanup: NOT_NEEDED,
  'compressed-caching': 'Use --cache-to type=registry,ref=REF,compression=uncompressed',
  compression: 'Use -o type=registry,compression=gzip|zstd',
  'compression-level': 'Use -o type=registry,compression-level=N',
  context: 'Write the context as the last word: tbuild -t NAME DIRECTORY',
  'context-sub-path': 'Write the directory as the context: DIRECTORY/SUB, or URL#BRANCH:SUB',
  'credential-helpers': 'Name them in the configuration of Docker: credHelpers',
  'custom-platform': PLATFORM,
  customPlatform: PLATFORM,
  destination: 'Use -t NAME --push',
  dockerfile: 'Use -f FILE',
  dryrun: 'Use --check, or -o type=cacheonly',
  force: NOT_NEEDED,
  'force-build-metadata': NOT_NEEDED,
  git: 'Use a URL as context: https://host/repository.git#branch',
  'ignore-path': 'Use a mount: RUN --mount=type=tmpfs,target=PATH or type=cache',
  'ignore-var-run': NOT_NEEDED,
  'image-download-retry': RETRIED,
  'image-format': 'Use -o type=registry,oci-mediatypes=true|false',
  'image-fs-extract-retry': RETRIED,
  insecure: INSECURE,
  'insecure-pull': INSECURE,
  'kaniko-dir': 'Use --root DIR',
  'log-format': 'Use --progress plain or rawjson',
  'log-timestamp': 'Leave it out: --progress plain shows the seconds of each line',
  materialize: 'Use -o type=local,dest=DIRECTORY',
  'no-push': 'Leave it out: only --push pushes',
  'no-push-cache': 'Leave it out: only --cache-to saves the cache elsewhere',
  'oci-layout-path': 'Use -o type=oci,tar=false,dest=DIRECTORY',
  'pre-cleanup': NOT_NEEDED,
  'preserve-context': 'Leave it out: the context is never changed',
  'push-ignore-immutable-tag-errors': 'Leave it out, and name another tag: a push to an immutable tag fails',
  'push-retry': RETRIED,
  reproducible: EPOCH,
  'single-snapshot': 'Use a last stage that copies the files you want',
  'skip-push-permission-check': NOT_NEEDED,
  'skip-tls-verify': INSECURE,
  'skip-tls-verify-pull': INSECURE,
  'skip-tls-verify-registry': INSECURE,
  'skip-unused-stages': 'Leave it out: only stages that the target needs are built',
  'snapshot-mode': NOT_NEEDED,
  snapshotMode: NOT_NEEDED,
  'tar-path': 'Use -o type=docker,dest=FILE',
  tarPath: 'Use -o type=docker,dest=FILE',
  'use-new-run': NOT_NEEDED,
  verbosity: 'Use --progress plain or --quiet',
  'whitelist-var-run': NOT_NEEDED,
};

/** Options of Buildah and podman build, each with what to use here. */
const buildahOptions = {
  'all-platforms': PLATFORM,
  arch: PLATFORM,
  authfile: 'Set REGISTRY_AUTH_FILE, or use tbuild login',
  'blob-cache': NOT_NEEDED,
  'cap-add': PRIVILEGES,
  'cap-drop': 'Leave it out: steps have the capabilities that Docker gives',
  'cert-dir': CERTIFICATE,
  cgroupns: NAMESPACES,
  'compat-volumes': NOT_NEEDED,
  'compression-format': 'Use -o type=registry,compression=gzip|zstd',
  'cpp-flag': 'Run cpp yourself: cpp -E Dockerfile.in | tbuild -f - .',
  'created-annotation': 'Use --annotation org.opencontainers.image.created=TIME',
  creds: CREDENTIALS,
  'decryption-key': 'Pull and decrypt the image with skopeo first',
  device: 'Use RUN --device=vendor.com/class=name with a CDI specification, and --allow device',
  'disable-compression': 'Use -o type=oci,compression=uncompressed',
  dns: 'Use --network host, or change /etc/resolv.conf of this machine',
  'dns-option': 'Change /etc/resolv.conf of this machine',
  'dns-search': 'Change /etc/resolv.conf of this machine',
  from: 'Write ARG BASE before FROM $BASE, and use --build-arg BASE=IMAGE',
  'group-add': 'Use USER in the Dockerfile',
  'hooks-dir': 'Leave it out: steps run no OCI hooks',
  'http-proxy': 'Use --build-arg HTTP_PROXY and its neighbours',
  'identity-label': NOT_NEEDED,
  'inherit-annotations': 'Leave it out: the annotations of a base are not inherited',
  'inherit-labels': 'Use --unsetlabel NAME for labels that you do not want',
  ipc: NAMESPACES,
  'layer-label': 'Leave it out: layers have no labels',
  layers: ALWAYS_CACHED,
  logfile: LOG,
  logsplit: LOG,
  manifest: 'Use -t NAME with several --platform, which make one index',
  mount: 'Use RUN --mount in the Dockerfile',
  'no-hostname': NOT_NEEDED,
  'no-hosts': NOT_NEEDED,
  os: PLATFORM,
  'os-feature': PLATFORM,
  'os-version': PLATFORM,
  pid: NAMESPACES,
  'pull-always': 'Use --pull',
  'pull-never': 'Leave it out: an image that the store has is not asked for',
  retry: RETRIED,
  'retry-delay': RETRIED,
  runtime: 'Use --isolation oci, which runs crun, runc or youki',
  'runtime-flag': 'Leave it out: --isolation oci chooses the options of the runtime',
  'save-stages': ALWAYS_CACHED,
  'sbom-image-output': SCANNER,
  'sbom-merge-strategy': SCANNER,
  'sbom-output': SCANNER,
  'sbom-scanner-command': SCANNER,
  'sbom-scanner-image': SCANNER,
  'sign-by': 'Use cosign sign after the push',
  'signature-policy': 'Refer to images by digest to verify them',
  'stage-labels': IN_DOCKERFILE,
  stdin: 'Leave it out: steps have no standard input',
  'storage-driver': 'Use --root DIR',
  'storage-opt': 'Use --root DIR',
  'tls-verify': INSECURE,
  unsetannotation: 'Leave it out: the annotations of a base are not inherited',
  userns: NAMESPACES,
  'userns-gid-map': NAMESPACES,
  'userns-gid-map-group': NAMESPACES,
  'userns-uid-map': NAMESPACES,
  'userns-uid-map-user': NAMESPACES,
  uts: NAMESPACES,
  variant: PLATFORM,
  volume: 'Use --build-context NAME=DIRECTORY and RUN --mount=type=bind,from=NAME,target=PATH',
};

/** Options of Docker's builder that tbuild lacks, each with what to use. */
const dockerOptions = {
  policy: 'Use --source-policy-file FILE: policies are JSON documents of BuildKit; Rego is not supported',
};

/** Options of other builders, each with what to use here. */
export const foreignOptions: Readonly<Record<string, string>> = {
  ...kanikoOptions,
  ...buildahOptions,
  ...dockerOptions,
};
