import { shellQuoted } from '@tbuild/linux';

/** What all pipelines are written with. */
export interface PipelineFrame {
  /** The image of its jobs, pinned. */
  readonly image: string;
  readonly version: string;
}

export const CACHE = '$CI_REGISTRY_IMAGE/cache';

export function heading(version: string): string {
  return `# Written by tbuild ${version}: tbuild gitlab-ci --write. Change it as you like.`;
}

/** Returns what the jobs have in common. */
export function common({ image }: Pick<PipelineFrame, 'image'>): string {
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

/** Returns a job whose name may hold anything but the words that GitLab reserves. */
export function job(name: string, stage: string, ...lines: readonly string[]): string {
  const first = [`${/^[a-z-]+$/.test(name) ? name : JSON.stringify(name)}:`, '  extends: .tbuild', `  stage: ${stage}`];
  return `${[...first, ...lines].join('\n')}\n`;
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

/** Returns options that take from caches, and write the first of them. */
export function cacheOptions(own: string, others: readonly string[]): readonly string[] {
  return [
    [own, ...others].map((one) => `--cache-from "${one}"`).join(' '),
    `--cache-to "type=registry,ref=${own},mode=max,ignore-error=true"`,
  ];
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
