import { shellQuoted } from '@tbuild/linux';
import {
  architectureOf,
  CACHE,
  cachedJob,
  cacheOptions,
  common,
  heading,
  job,
  onEach,
  REPORTS,
  script,
  sourceWords,
  type PipelineFrame,
} from './pipeline-parts.ts';

/** What a pipeline is written for. */
export interface PipelineOptions extends PipelineFrame {
  readonly context: string;
  /** The path of the Dockerfile, where it is not `Dockerfile` of the context. */
  readonly dockerfile?: string;
  /** One job for each, on runners that are tagged with the architecture; none for the runner's own. */
  readonly platforms: readonly string[];
  /** Stages that jobs of a child pipeline build first, in parallel; they hand their steps on through the cache. */
  readonly stages: readonly string[];
}

const NAME = '$CI_REGISTRY_IMAGE:$TAG';

/** Returns a `.gitlab-ci.yml` that checks, builds and pushes an image in jobs without privileges. */
export function pipelineFor(options: PipelineOptions): string {
  const { platforms } = options;
  const stages = handedOn(options);
  const several = platforms.length > 1;
  const names = [
    'check',
    ...(stages.length > 0 ? ['plan', 'parts'] : []),
    'build',
    ...(several ? ['merge'] : []),
    'clean-up',
  ];
  return [
    heading(options.version),
    `stages: [${names.join(', ')}]\n`,
    WORKFLOW,
    common(options),
    checkJob(options),
    ...(stages.length > 0 ? [planJob(planWords(options)), triggerJob('parts')] : []),
    several ? buildJobs(options) : buildJob(options),
    ...(several ? [mergeJob(options)] : []),
    cleanUpJob(['$CI_REGISTRY_IMAGE'], options),
  ].join('\n');
}

/** Returns the stages that have jobs of their own. Steps go from job to job through the registry only. */
function handedOn({ cache, stages }: PipelineOptions): readonly string[] {
  return cache === 'registry' ? stages : [];
}

/** Returns a `.gitlab-ci.yml` in which a child pipeline builds the targets of the bake file in parallel jobs. */
export function bakePipelineFor(targets: readonly string[], frame: PipelineFrame): string {
  const check = job('check', 'check', script('tbuild bake --check'), '  allow_failure: true');
  return [
    heading(frame.version),
    'stages: [check, plan, build, clean-up]\n',
    WORKFLOW,
    common(frame),
    check,
    planJob(`--image ${shellQuoted(frame.image)} --cache ${frame.cache} --tag "$TAG"`),
    triggerJob('build'),
    cleanUpJob(
      targets.map((name) => `$CI_REGISTRY_IMAGE/${name}`),
      frame,
    ),
  ].join('\n');
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

function checkJob(options: PipelineOptions): string {
  return job(
    'check',
    'check',
    script(`tbuild --check --format gitlab-codequality ${sourceWords(options)} > gl-code-quality-report.json`),
    `  allow_failure: true
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json`,
  );
}

/** Writes the child pipeline in the job, so that it fits the commit. */
function planJob(words: string): string {
  const lines = [script(`tbuild gitlab-ci --child ${words} > child.yml`), '  artifacts:\n    paths: [child.yml]'];
  return `# Writes the pipeline of the parts that can be built at the same time.\n${job('plan', 'plan', ...lines)}`;
}

function planWords({ image, platforms, ...source }: PipelineOptions): string {
  const each = platforms.map((platform) => `--platform ${platform} `).join('');
  return `--image ${shellQuoted(image)} ${each}${sourceWords(source)}`;
}

function triggerJob(name: string): string {
  return `${name}:
  stage: ${name}
  trigger:
    include:
      - artifact: child.yml
        job: plan
    strategy: depend
`;
}

function buildJob(options: PipelineOptions): string {
  const [platform] = options.platforms;
  const forPlatform = platform === undefined ? '' : ` --platform ${platform}`;
  return cachedJob(
    { name: 'build', stage: 'build', cache: options.cache },
    script(
      `tbuild build -t "${NAME}" --push${forPlatform} --gitlab-metadata --dotenv-file build.env`,
      '--provenance mode=max --sbom true --cyclonedx-file gl-sbom.cdx.json',
      ...cacheOptions({ own: 'build', others: handedOn(options) }, options),
      sourceWords(options),
    ),
    REPORTS,
  );
}

function buildJobs(options: PipelineOptions): string {
  const others = handedOn(options).map((stage) => `${stage}-$ARCH`);
  const jobs = cachedJob(
    { name: 'build', stage: 'build', cache: options.cache },
    onEach(options.platforms),
    script(
      `tbuild build -t "${NAME}-$ARCH" --push --platform "$PLATFORM" --gitlab-metadata`,
      '--provenance mode=max --sbom true --cyclonedx-file "gl-sbom-$ARCH.cdx.json"',
      ...cacheOptions({ own: 'build-$ARCH', others }, options),
      sourceWords(options),
    ),
    `  artifacts:
    reports:
      cyclonedx: gl-sbom-*.cdx.json`,
  );
  return `# One job for each architecture, on a runner of that architecture: nothing is emulated.\n${jobs}`;
}

function mergeJob({ platforms }: PipelineOptions): string {
  const parts = platforms.map((platform) => `"${NAME}-${architectureOf(platform)}"`);
  return `# One name for all architectures; the attestations of each go along.
merge:
  extends: .tbuild
  stage: merge
  script:
    - tbuild imagetools create -t "${NAME}" --dotenv-file build.env
      ${parts.join(' ')}
    - tbuild imagetools inspect "${NAME}"
  artifacts:
    reports:
      dotenv: build.env
`;
}

/** Removes the tags of merge requests and the caches that are old. The token of a job may do so in its own project. */
function cleanUpJob(repositories: readonly string[], { cache }: PipelineFrame): string {
  const names = [...repositories.map((name) => `${name}:mr-*`), ...(cache === 'registry' ? [`${CACHE}:*`] : [])];
  const words = names.map((name) => `"${name}"`).join('\n      ');
  const body = job(
    'clean-up',
    'clean-up',
    `  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      when: manual
      allow_failure: true`,
    script('tbuild imagetools rm --filter until=30d', words),
  );
  return `# Removes tags of merge requests and caches that are older than 30 days: in scheduled pipelines, or by hand.\n${body}`;
}
