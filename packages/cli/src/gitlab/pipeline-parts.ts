import { shellQuoted } from '@tbuild/linux';

/** Where the jobs of a pipeline keep steps and cache mounts: in the registry, or in a directory that GitLab caches. */
export type CacheKind = 'registry' | 'directory';

/** What all pipelines are written with. */
export interface PipelineFrame {
  /** The image of its jobs, pinned. */
  readonly image: string;
  readonly version: string;
  readonly cache: CacheKind;
}

export const CACHE = '$CI_REGISTRY_IMAGE/cache';

/** What a job that pushes one image reports. */
export const REPORTS = `  artifacts:
    reports:
      dotenv: build.env
      cyclonedx: gl-sbom.cdx.json`;

/** Where the cached directory lies during a job: not in the checkout, which may be the context. */
const DIRECTORY = '$CI_PROJECT_DIR.cache';

export function heading(version: string): string {
  return `# Written by tbuild ${version}: tbuild gitlab-ci --write. Change it as you like.`;
}

/** Returns what the jobs have in common. */
export function common({ image, cache }: Pick<PipelineFrame, 'image' | 'cache'>): string {
  return `# An ordinary job: no privileged container, no service, no login. The volume of the builds holds the store.
.tbuild:
  image: ${image}
  variables:
    TBUILD_ROOT: $CI_BUILDS_DIR/tbuild-store
  retry:
    max: 1
    when: [runner_system_failure, stuck_or_timeout_failure]
${cache === 'directory' ? CACHED : ''}`;
}

/** GitLab caches only what lies in the checkout. The directory is moved out for the job, since contexts lie there too. */
const CACHED = `
# GitLab's cache of a job; while the job runs, it lies beside the checkout, so that no context has it.
.cached:
  extends: .tbuild
  cache:
    key: tbuild-$CI_JOB_NAME_SLUG
    paths: [.tbuild-cache]
  before_script:
    - mkdir -p .tbuild-cache && rm -rf "${DIRECTORY}" && mv .tbuild-cache "${DIRECTORY}"
  after_script:
    - mv "${DIRECTORY}" .tbuild-cache
`;

/** Returns a job whose name may hold anything but the words that GitLab reserves. */
export function job(name: string, stage: string, ...lines: readonly string[]): string {
  return jobLike('.tbuild', { name, stage }, lines);
}

/** Returns a job that keeps a cache: options for it come from {@link cacheOptions}. */
export function cachedJob(
  { name, stage, cache }: { readonly name: string; readonly stage: string; readonly cache: CacheKind },
  ...lines: readonly string[]
): string {
  return jobLike(cache === 'directory' ? '.cached' : '.tbuild', { name, stage }, lines);
}

function jobLike(
  template: string,
  { name, stage }: { readonly name: string; readonly stage: string },
  lines: readonly string[],
): string {
  const key = /^[a-z-]+$/.test(name) ? name : JSON.stringify(name);
  return `${[`${key}:`, `  extends: ${template}`, `  stage: ${stage}`, ...lines].join('\n')}\n`;
}

/** Returns the lines of a script with one command, which may go on over several lines. */
export function script(...lines: readonly string[]): string {
  return `  script:\n    - ${lines.join('\n      ')}`;
}

/** Returns lines that run a job once for each platform, on runners that are tagged with its architecture. */
export function onEach(platforms: readonly string[]): string {
  const rows = platforms.map((platform) => `      - {PLATFORM: ${platform}, ARCH: ${architectureOf(platform)}}`);
  return ['  parallel:', '    matrix:', ...rows, '  tags: [$ARCH]'].join('\n');
}

/** Returns what runners are tagged with: `arm64`, `arm-v7`. */
export function architectureOf(platform: string): string {
  return platform.split('/').slice(1).join('-');
}

/** A cache that jobs of a pipeline keep in the registry, by its tag. */
export interface JobCache {
  readonly own: string;
  /** Those of other jobs, to take steps from. A directory belongs to one job. */
  readonly others: readonly string[];
}

/** Returns options that take steps from the caches of a job, and keep its steps and cache mounts in its own. */
export function cacheOptions({ own, others }: JobCache, { cache }: Pick<PipelineFrame, 'cache'>): readonly string[] {
  const { from, to } = cachePlaces({ own, others }, cache);
  return [from.map((one) => `--cache-from "${one}"`).join(' '), `--cache-to "${to}"`];
}

/** Returns the values of these options. */
export function cachePlaces(
  { own, others }: JobCache,
  cache: CacheKind,
): { readonly from: readonly string[]; readonly to: string } {
  const what = 'mode=max,mounts=true,ignore-error=true';
  if (cache === 'directory')
    return { from: [`type=local,src=${DIRECTORY}`], to: `type=local,dest=${DIRECTORY},${what}` };
  return { from: [own, ...others].map((one) => `${CACHE}:${one}`), to: `type=registry,ref=${CACHE}:${own},${what}` };
}

export function sourceWords({
  context,
  dockerfile,
}: {
  readonly context: string;
  readonly dockerfile?: string;
}): string {
  return `${dockerfile === undefined ? '' : `-f ${shellQuoted(dockerfile)} `}${shellQuoted(context)}`;
}
