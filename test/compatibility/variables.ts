import { row, type Row } from './row.ts';

const e2e = (path: string): string => `test/e2e/${path}.test.ts`;

const BUCKETS = e2e('cache/cache-buckets');

const NO_BUILDERS = { differs: 'accepted: there is one builder' };

/** Environment variables of Docker's builder and client. */
export const variables: readonly Row[] = [
  row('AWS_ACCESS_KEY_ID', BUCKETS),
  row('AWS_BUCKET', BUCKETS),
  row('AWS_PROFILE', BUCKETS),
  row('AWS_ENDPOINT_URL_S3', BUCKETS),
  row('AWS_REGION', BUCKETS),
  row('AWS_SECRET_ACCESS_KEY', BUCKETS),
  row('BUILDKIT_AZURE_STORAGE_ACCOUNT_NAME', BUCKETS),
  row('BUILDKIT_AZURE_STORAGE_ACCOUNT_URL', BUCKETS),
  row('BUILDKIT_AZURE_STORAGE_CONTAINER', BUCKETS),
  row('BUILDKIT_COLORS', 'packages/tui/src/theme.test.ts'),
  row('BUILDKIT_HOST', e2e('program/docker-commands'), NO_BUILDERS),
  row('BUILDKIT_PROGRESS', 'test/e2e/program/messages.test.ts'),
  row('BUILDKIT_TTY_LOG_LINES', 'packages/tui/src/tail-lines.test.ts'),
  row('BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP', 'packages/bake/src/compose/forms.test.ts'),
  row('BUILDX_BAKE_ENTITLEMENTS_FS', e2e('bake/files')),
  row('BUILDX_BAKE_FILE', e2e('bake/files')),
  row('BUILDX_BAKE_FILE_SEPARATOR', e2e('bake/files')),
  ...['HEADER', 'TOKEN'].map((name) =>
    row(`BUILDX_BAKE_GIT_AUTH_${name}`, e2e('program/docker-commands'), {
      differs: "ignored: git's own credentials fetch the files of a bake",
    }),
  ),
  row('BUILDX_BUILDER', e2e('program/docker-commands'), NO_BUILDERS),
  row('BUILDX_CONFIG', e2e('program/docker-commands'), NO_BUILDERS),
  row('BUILDX_CPU_PROFILE', e2e('program/docker-commands'), { differs: 'ignored' }),
  row('BUILDX_EXPERIMENTAL', e2e('program/docker-commands'), { differs: 'accepted: nothing waits for it' }),
  row('BUILDX_GIT_CHECK_DIRTY', e2e('program/buildx-variables'), {
    differs: 'for labels; provenance marks a changed work tree without it',
  }),
  row('BUILDX_GIT_INFO', e2e('program/buildx-variables')),
  row('BUILDX_GIT_LABELS', e2e('program/buildx-variables')),
  row('BUILDX_MEM_PROFILE', e2e('program/docker-commands'), { differs: 'ignored' }),
  row('BUILDX_METADATA_PROVENANCE', e2e('program/buildx-variables')),
  row('BUILDX_METADATA_WARNINGS', e2e('program/buildx-variables')),
  row('BUILDX_NO_DEFAULT_ATTESTATIONS', 'test/compatibility.test.ts', {
    differs: 'accepted: there are no attestations by default',
  }),
  row('BUILDX_NO_DEFAULT_LOAD', e2e('program/docker-commands'), {
    differs: 'accepted: only the plug-in in the place of docker-buildx loads by default',
  }),
  row('BUILDX_NO_DEFAULT_OCI_ARTIFACT', e2e('images/output-options')),
  row('DOCKER_AUTH_CONFIG', e2e('registry/credentials')),
  row('DOCKER_BUILDKIT', e2e('program/docker-commands'), NO_BUILDERS),
  row('DOCKER_CONFIG', e2e('registry/credentials')),
  row('DOCKER_DEFAULT_PLATFORM', 'test/compatibility.test.ts'),
  row('DOCKER_CERT_PATH', e2e('images/load-engines')),
  row('DOCKER_CONTEXT', e2e('images/load-engines')),
  row('DOCKER_HOST', e2e('images/load-engines'), { differs: 'for `--load` and for images of the engine' }),
  row('DOCKER_TLS_VERIFY', e2e('images/load-engines')),
  row('EXPERIMENTAL_BUILDKIT_SOURCE_POLICY', e2e('program/source-policy')),
  row('SOURCE_DATE_EPOCH', e2e('images/reproducible')),
  row('SSH_AUTH_SOCK', e2e('run/run-mounts')),
];

/** Build arguments that Docker's builder itself reads. */
export const buildArguments: readonly Row[] = [
  row('BUILDKIT_BUILD_NAME', e2e('program/foreign-options'), {
    differs: 'has no effect: records of builds do not take their name from it',
  }),
  row('BUILDKIT_CACHE_MOUNT_NS', 'packages/frontend/src/lower/run.test.ts'),
  row('BUILDKIT_CONTEXT_KEEP_GIT_DIR', e2e('dockerfile/remote-context')),
  row('BUILDKIT_DISABLE_ONBUILD', e2e('program/foreign-options')),
  row('BUILDKIT_DOCKERFILE_CHECK', e2e('dockerfile/checks')),
  row('BUILDKIT_INLINE_CACHE', e2e('program/foreign-options')),
  row('BUILDKIT_MULTI_PLATFORM', e2e('program/foreign-options')),
  row('BUILDKIT_SANDBOX_HOSTNAME', 'packages/frontend/src/lower/run.test.ts'),
  row('BUILDKIT_SBOM_SCAN_CONTEXT', e2e('images/sbom-scanner')),
  row('BUILDKIT_SBOM_SCAN_STAGE', e2e('images/sbom-scanner')),
  row('BUILDKIT_SYNTAX', e2e('program/foreign-options')),
  row('HTTP_PROXY', 'packages/frontend/src/build-args.test.ts'),
];
