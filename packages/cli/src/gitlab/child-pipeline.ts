import { shellQuoted } from '@tbuild/linux';
import {
  cachedJob,
  cacheOptions,
  cachePlaces,
  common,
  job,
  onEach,
  REPORTS,
  script,
  sourceWords,
  type PipelineFrame,
} from './pipeline-parts.ts';
import type { PipelineOptions } from './pipeline.ts';

/** Returns a child pipeline with a parallel job for each stage. */
export function stagesPipelineFor(options: PipelineOptions): string {
  const jobs = options.stages.map((stage) => stageJob(stage, options));
  return child(options, jobs);
}

/** A target of a bake file. */
export interface TargetJob {
  readonly name: string;
  /** The targets whose results it takes, directly or through others. */
  readonly needs: readonly string[];
  /** Whether others only build on it: its steps go to the cache, and no image is made. */
  readonly isLink: boolean;
}

/**
 * Returns a child pipeline with a job for each target, which starts when those that it needs have ended. Steps go from job
 * to job through the registry only; with cached directories, a job builds what it needs itself.
 */
export function targetsPipelineFor(
  { targets, tag }: { readonly targets: readonly TargetJob[]; readonly tag: string },
  frame: PipelineFrame,
): string {
  const alone = targets.flatMap((target) => (target.isLink ? [] : { ...target, needs: [] }));
  const jobs = frame.cache === 'registry' ? targets : alone;
  return child(
    frame,
    jobs.map((target) => targetJob(target, { tag, cache: frame.cache })),
  );
}

/** A pipeline without jobs would fail. */
function child(frame: PipelineFrame, jobs: readonly string[]): string {
  return [
    `# Written by tbuild ${frame.version}: tbuild gitlab-ci --child.`,
    'stages: [build]\n',
    'workflow:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == "parent_pipeline"\n',
    common(frame),
    ...(jobs.length > 0 ? jobs : [job('nothing', 'build', script('echo "No parts can be built on their own"'))]),
  ].join('\n');
}

/** Builds a stage for the cache alone. */
function stageJob(stage: string, options: PipelineOptions): string {
  const several = options.platforms.length > 1;
  const [platform] = options.platforms;
  const suffix = several ? '-$ARCH' : '';
  const words = several ? '--platform "$PLATFORM" ' : platform === undefined ? '' : `--platform ${platform} `;
  return job(
    `stage ${stage}`,
    'build',
    ...(several ? [onEach(options.platforms)] : []),
    script(
      `tbuild build --target ${shellQuoted(stage)} ${words}-o type=cacheonly`,
      ...cacheOptions({ own: `${stage}${suffix}`, others: [`build${suffix}`] }, options),
      sourceWords(options),
    ),
  );
}

function targetJob(
  { name, needs, isLink }: TargetJob,
  { tag, cache }: Pick<PipelineFrame, 'cache'> & { readonly tag: string },
): string {
  const { from, to } = cachePlaces({ own: name, others: needs }, cache);
  const result = isLink
    ? [`--set "${name}.output=type=cacheonly"`]
    : [
        '--push --gitlab-metadata --dotenv-file build.env',
        '--provenance mode=max --sbom true --cyclonedx-file gl-sbom.cdx.json',
        `--set "${name}.tags=$CI_REGISTRY_IMAGE/${name}:${tag}"`,
      ];
  return cachedJob(
    { name: `bake ${name}`, stage: 'build', cache },
    `  needs: ${JSON.stringify(needs.map((one) => `bake ${one}`))}`,
    script(
      `tbuild bake ${name}`,
      ...result,
      ...from.map((one) => `--set "*.cache-from=${one}"`),
      `--set "${name}.cache-to=${to}"`,
    ),
    ...(isLink ? [] : [REPORTS]),
  );
}
