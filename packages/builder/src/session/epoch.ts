import { newestFile } from '@tbuild/diff';
import { epochSource, SOURCE_DATE_EPOCH, type EpochSource } from '@tbuild/frontend';
import type { BuildEnvironment } from '../build-run.ts';
import { sourceTime } from '../ops/fetch/source-time.ts';
import type { LoadedDockerfile } from '../plan/load-dockerfile.ts';
import { namedContexts } from '../plan/plan-request.ts';
import type { BuildRequest } from '../request.ts';
import { track } from '../track.ts';
import { mainSource } from './fetch-context.ts';
import type { ResolvedSources } from './resolved-sources.ts';

/** `SOURCE_DATE_EPOCH` as a number. */
export interface ResolvedEpoch {
  /** In milliseconds. */
  readonly epoch?: number;
  /** The build arguments, with the number instead of the name of a source. */
  readonly buildArgs: BuildRequest['buildArgs'];
}

export interface EpochInputs {
  readonly loaded: LoadedDockerfile;
  /** The request as given, before anything was fetched. */
  readonly given: BuildRequest;
  readonly sources: ResolvedSources;
}

/**
 * Finds out what `SOURCE_DATE_EPOCH` is: a number, or the time of a source, which is read for it. A source without a time
 * counts as an empty value.
 * @throws TbuildError for a wrong value, and as fetching does.
 */
export async function resolveEpoch(inputs: EpochInputs, env: BuildEnvironment): Promise<ResolvedEpoch> {
  const { loaded, given } = inputs;
  const { buildArgs, target, platforms } = given;
  const { platform: buildPlatform } = env.services;
  const platform = platforms[0] ?? buildPlatform;
  const contexts = namedContexts(given);
  const source = epochSource(loaded.dockerfile, { buildArgs, target, platform, buildPlatform, contexts });
  if (source === undefined) return { buildArgs };
  const seconds = await secondsOf(source, inputs, env);
  return {
    buildArgs: { ...buildArgs, [SOURCE_DATE_EPOCH]: seconds === undefined ? '' : String(seconds) },
    ...(seconds === undefined ? {} : { epoch: seconds * 1000 }),
  };
}

async function secondsOf(
  source: EpochSource,
  { given, sources }: EpochInputs,
  env: BuildEnvironment,
): Promise<number | undefined> {
  if (source.kind === 'seconds') return source.seconds;
  if (source.kind === 'none') return undefined;
  const { services, signal } = env;
  const { context } = given;
  if (source.kind === 'context' && context.kind === 'archive') {
    const newest = await newestFile(context.path, signal);
    return newest === undefined ? undefined : Math.floor(newest / 1000);
  }
  const op = source.kind === 'context' ? mainSource(given) : source.op;
  if (op === undefined) return undefined;
  return track(env, '[internal] resolve SOURCE_DATE_EPOCH', (report) =>
    sourceTime(op, { services, sources, report, readSecret: (id) => env.readSecret?.(id) }, signal),
  );
}
