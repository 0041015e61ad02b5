import { newestFile } from '@tbuild/diff';
import { epochSource, SOURCE_DATE_EPOCH, type EpochSource } from '@tbuild/frontend';
import type { Platform } from '@tbuild/oci';
import type { Underway } from '../build-run.ts';
import { sourceTime, type SourceTimePorts } from '../ops/fetch/source-time.ts';
import type { Secrets } from '../ops/secrets.ts';
import { namedContexts } from '../plan/plan-request.ts';
import type { BuildRequest } from '../request.ts';
import { track } from '../track.ts';
import { mainSource } from './fetch-context.ts';
import type { BuildInputs } from './inputs.ts';

/** `SOURCE_DATE_EPOCH` as a number. */
export interface ResolvedEpoch {
  /** In milliseconds. */
  readonly epoch?: number;
  /** The build arguments, with the number instead of the name of a source. */
  readonly buildArgs: BuildRequest['buildArgs'];
}

export type EpochInputs = Pick<BuildInputs, 'given' | 'loaded' | 'sources'>;

/** What finding out the time of a source uses. */
export type EpochPorts = SourceTimePorts & {
  /** Platform of this machine. */
  readonly platform: Platform;
};

/**
 * Finds out what `SOURCE_DATE_EPOCH` is: a number, or the time of a source, which is read for it. A source without a time
 * counts as an empty value.
 * @throws TbuildError for a wrong value, and as fetching does.
 */
export async function resolveEpoch(
  inputs: EpochInputs,
  ports: EpochPorts,
  underway: Underway & Secrets,
): Promise<ResolvedEpoch> {
  const { buildArgs } = inputs.given;
  const source = readEpoch(inputs, ports);
  if (source === undefined) return { buildArgs };
  const seconds = await secondsOf({ ...inputs, source }, ports, underway);
  return {
    buildArgs: { ...buildArgs, [SOURCE_DATE_EPOCH]: seconds === undefined ? '' : String(seconds) },
    ...(seconds === undefined ? {} : { epoch: seconds * 1000 }),
  };
}

/**
 * Reads what `SOURCE_DATE_EPOCH` says, without fetching anything.
 * @throws TbuildError for a wrong value.
 */
export function readEpoch(
  { loaded, given }: Pick<EpochInputs, 'given' | 'loaded'>,
  { platform: buildPlatform }: Pick<EpochPorts, 'platform'>,
): EpochSource | undefined {
  const { buildArgs, target, platforms } = given;
  const platform = platforms[0] ?? buildPlatform;
  const contexts = namedContexts(given);
  return epochSource(loaded.dockerfile, { buildArgs, target, platform, buildPlatform, contexts });
}

async function secondsOf(
  { given, sources, source }: EpochInputs & { readonly source: EpochSource },
  ports: SourceTimePorts,
  underway: Underway & Secrets,
): Promise<number | undefined> {
  if (source.kind === 'seconds') return source.seconds;
  if (source.kind === 'none') return undefined;
  const { context } = given;
  if (source.kind === 'context' && context.kind === 'archive') {
    const newest = await newestFile(context.path, underway.signal);
    return newest === undefined ? undefined : Math.floor(newest / 1000);
  }
  const op = source.kind === 'context' ? mainSource(given) : source.op;
  if (op === undefined) return undefined;
  return track(underway, '[internal] resolve SOURCE_DATE_EPOCH', (report) =>
    sourceTime(op, ports, { ...underway, sources, report }),
  );
}
