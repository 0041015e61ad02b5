import type { ExportedImage } from '@tbuild/exporter';
import type { Plan } from '@tbuild/frontend';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import { resultOf, type Assembly } from './assemble-image.ts';
import type { PlannedScan } from './attestations/plan-scans.ts';
import type { BuildFacts } from './attestations/provenance.ts';
import type { Planning } from './plan-request.ts';

// What makes attestations is loaded only for a build that wants them.

/** How SBOMs are made, for a build that wants them; their steps are in the graph. */
export async function planScans(
  plans: readonly Plan[],
  graph: GraphBuilder,
  planning: Planning,
): Promise<readonly PlannedScan[]> {
  const { sbom } = planning.request.attestations ?? {};
  return sbom === undefined
    ? []
    : (await import('./attestations/plan-scans.ts')).planScans(plans, sbom, graph, planning);
}

/** What has to be solved for a scan beside the image. */
export function scanSteps({ scanner, extras }: PlannedScan): readonly StepId[] {
  return scanner === undefined ? extras.map(({ step }) => step) : [scanner];
}

/** What attestations tell of that is known by now. */
export interface AttestedFacts extends Pick<BuildFacts, 'request' | 'loaded' | 'startedAt'> {
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
  if (facts.request.attestations === undefined) return images;
  const { graph, worker, epoch, results } = assembly;
  const { attest } = await import('./attestations/attest.ts');
  return attest(images, {
    facts: { ...facts, graph, builderPlatform: worker.platform, finishedAt: worker.now() },
    worker,
    scans,
    directoriesOf: async (step) => (await results.snapshot(resultOf(step, assembly))).directories,
    epoch,
    progress,
    signal,
  });
}
