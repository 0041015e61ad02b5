/** What a pipeline is written for. */
export interface PipelineOptions {
  /** The image of its jobs, pinned. */
  readonly image: string;
  readonly version: string;
  readonly context: string;
  /** The path of the Dockerfile, where it is not `Dockerfile` of the context. */
  readonly dockerfile?: string;
  /** One job for each, on runners that are tagged with the architecture; none for the runner's own. */
  readonly platforms: readonly string[];
  /** Stages that jobs of their own build first, in parallel; they hand their steps on through the cache. */
  readonly stages: readonly string[];
}

const CACHE = '$CI_REGISTRY_IMAGE/cache';
const NAME = '$CI_REGISTRY_IMAGE:$TAG';

/** Returns a `.gitlab-ci.yml` that checks, builds and pushes an image in jobs without privileges. */
export function pipelineFor(options: PipelineOptions): string {
  const { platforms, stages } = options;
  const several = platforms.length > 1;
  const names = ['check', ...(stages.length > 0 ? ['stages'] : []), 'build', ...(several ? ['merge'] : [])];
  return [
    heading(options.version),
    `stages: [${names.join(', ')}]\n`,
    WORKFLOW,
    common(options),
    checkJob(options),
    ...stages.map((stage) => stageJob(stage, options)),
    several ? buildJobs(options) : buildJob(options),
    ...(several ? [mergeJob(options)] : []),
  ].join('\n');
}

/** What a pipeline for a bake file is written for. */
export interface BakePipelineOptions extends Pick<PipelineOptions, 'image' | 'version'> {
  /** The targets, each of which gets a job; those that they build on are found in the cache. */
  readonly targets: readonly string[];
}

/** Returns a `.gitlab-ci.yml` in which the targets of the bake file are built in parallel jobs. */
export function bakePipelineFor({ targets, ...options }: BakePipelineOptions): string {
  return [
    heading(options.version),
    `stages: [check, build]\n`,
    WORKFLOW,
    common(options),
    `check:
  extends: .tbuild
  stage: check
  script:
    - tbuild bake --check
  allow_failure: true
`,
    ...targets.map(targetJob),
  ].join('\n');
}

function targetJob(target: string): string {
  const cache = `${CACHE}:${target}`;
  return `${jobName(`bake ${target}`)}:
  extends: .tbuild
  stage: build
  needs: []
  script:
    - tbuild bake --push --provenance mode=max --sbom true
      --set "${target}.tags=$CI_REGISTRY_IMAGE/${target}:$TAG"
      --set "*.cache-from=${cache}"
      --set "${target}.cache-to=type=registry,ref=${cache},mode=max,ignore-error=true" ${target}
`;
}

function heading(version: string): string {
  return `# Written by tbuild ${version}: tbuild gitlab-ci --write. Change it as you like.`;
}

/** Merge requests get a tag for review, tags of the repository and the default branch their own. */
const WORKFLOW = `workflow:
  rules:
    - if: $CI_COMMIT_TAG
      variables: {TAG: $CI_COMMIT_TAG}
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      variables: {TAG: mr-$CI_MERGE_REQUEST_IID}
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables: {TAG: latest}
`;

function common({ image }: Pick<PipelineOptions, 'image'>): string {
  return `# An ordinary job: no privileged container, no service, no login. The volume of the builds holds the store.
.tbuild:
  image: ${image}
  variables:
    TBUILD_ROOT: $CI_BUILDS_DIR/tbuild-store
  retry:
    max: 1
    when: [runner_system_failure, stuck_or_timeout_failure]
`;
}

function sourceWords({ context, dockerfile }: PipelineOptions): string {
  return `${dockerfile === undefined ? '' : `-f ${quoted(dockerfile)} `}${quoted(context)}`;
}

function checkJob(options: PipelineOptions): string {
  return `check:
  extends: .tbuild
  stage: check
  script:
    - tbuild --check --format gitlab-codequality ${sourceWords(options)} > gl-code-quality-report.json
  allow_failure: true
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
`;
}

/** Builds a stage for the cache alone. */
function stageJob(stage: string, options: PipelineOptions): string {
  const cache = `${CACHE}:${stage}`;
  return `${jobName(`stage ${stage}`)}:
  extends: .tbuild
  stage: stages
  needs: []
  script:
    - tbuild build --target ${quoted(stage)} -o type=cacheonly
      --cache-from "${CACHE}:build" --cache-from "${cache}"
      --cache-to "type=registry,ref=${cache},mode=max" ${sourceWords(options)}
`;
}

function cacheWords(own: string, stages: readonly string[]): string {
  const from = [own, ...stages.map((stage) => `${CACHE}:${stage}`)].map((one) => `--cache-from "${one}"`);
  return `${from.join(' ')}\n      --cache-to "type=registry,ref=${own},mode=max,ignore-error=true"`;
}

function buildJob(options: PipelineOptions): string {
  const [platform] = options.platforms;
  const forPlatform = platform === undefined ? '' : ` --platform ${platform}`;
  return `build:
  extends: .tbuild
  stage: build
  script:
    - tbuild build -t "${NAME}" --push${forPlatform} --gitlab-metadata --dotenv-file build.env
      --provenance mode=max --sbom true --cyclonedx-file gl-sbom.cdx.json
      ${cacheWords(`${CACHE}:build`, options.stages)} ${sourceWords(options)}
  artifacts:
    reports:
      dotenv: build.env
      cyclonedx: gl-sbom.cdx.json
`;
}

function buildJobs(options: PipelineOptions): string {
  const rows = options.platforms.map((platform) => {
    const arch = platform.split('/').slice(1).join('-');
    return `      - {PLATFORM: ${platform}, ARCH: ${arch}}`;
  });
  return `# One job for each architecture, on a runner of that architecture: nothing is emulated.
build:
  extends: .tbuild
  stage: build
  parallel:
    matrix:
${rows.join('\n')}
  tags: [$ARCH]
  script:
    - tbuild build -t "${NAME}-$ARCH" --push --platform "$PLATFORM" --gitlab-metadata
      --provenance mode=max --sbom true --cyclonedx-file "gl-sbom-$ARCH.cdx.json"
      ${cacheWords(`${CACHE}:build-$ARCH`, options.stages)} ${sourceWords(options)}
  artifacts:
    reports:
      cyclonedx: gl-sbom-*.cdx.json
`;
}

function mergeJob({ platforms }: PipelineOptions): string {
  const parts = platforms.map((platform) => `"${NAME}-${platform.split('/').slice(1).join('-')}"`);
  return `# One name for all architectures; the attestations of each go along.
merge:
  extends: .tbuild
  stage: merge
  script:
    - tbuild imagetools create -t "${NAME}"
      ${parts.join(' ')}
    - tbuild imagetools inspect "${NAME}"
`;
}

/** Names of jobs may hold anything but the words that GitLab reserves. */
function jobName(text: string): string {
  return JSON.stringify(text);
}

function quoted(word: string): string {
  return /^[\w./@%+=:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
