import type { BuildFacts, PlannedScan } from '@tbuild/attest';
import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import { resultOf, type Assembly } from './assemble-image.ts';
import { resolveImages, type Planning } from '../plan/plan-request.ts';
import type { BuildRequest } from '../request.ts';

// What makes attestations is loaded only for a build that wants them.

/** How SBOMs are made, for a build that wants them; their steps are in the graph. */
export async function planScans(
  plans: readonly Plan[],
  graph: GraphBuilder,
  planning: Planning,
): Promise<readonly PlannedScan[]> {
  const { request, worker, signal } = planning;
  const { sbom } = request.attestations ?? {};
  if (sbom === undefined) return [];
  const attest = await import('@tbuild/attest');
  return attest.planScans(plans, sbom, {
    graph,
    platform: worker.platform,
    isContextEmpty: request.context.kind === 'empty',
    noCache: request.noCache === true,
    resolveImage: resolveImages(planning),
    signal,
  });
}

/** What has to be solved for a scan beside the image. */
export function scanSteps({ scanner, extras }: PlannedScan): readonly StepId[] {
  return scanner === undefined ? extras.map(({ step }) => step) : [scanner];
}

/** What attestations tell of that is known by now. */
export interface AttestedFacts extends Pick<BuildFacts, 'loaded' | 'startedAt'> {
  readonly request: BuildRequest;
  readonly scans: readonly PlannedScan[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Images with what is to be said about them. */
export async function attestImages(
  images: readonly ExportedImage[],
  assembly: Assembly,
  { scans, progress, signal, ...facts }: AttestedFacts,
): Promise<readonly ExportedImage[]> {
  const { attestations, tags } = facts.request;
  if (attestations === undefined) return images;
  const { graph, worker, epoch, results } = assembly;
  const { attest } = await import('@tbuild/attest');
  return attest(images, {
    specs: attestations,
    facts: { ...facts, graph, builderPlatform: worker.platform, finishedAt: worker.now() },
    tags,
    flavour: worker.flavour,
    scans,
    directoriesOf: async (step) => (await results.snapshot(resultOf(step, assembly))).directories,
    epoch,
    progress,
    signal,
  });
}
