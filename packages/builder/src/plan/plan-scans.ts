import type { PlannedScan } from '@tbuild/attest';
import type { Plan } from '@tbuild/frontend';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import { resolveImages, type Planning } from './plan-request.ts';

/** How SBOMs are made, for a build that wants them; their steps are in the graph. */
export async function planScans(
  plans: readonly Plan[],
  graph: GraphBuilder,
  planning: Planning,
): Promise<readonly PlannedScan[]> {
  const { request, services, signal } = planning;
  const { sbom } = request.attestations ?? {};
  if (sbom === undefined) return [];
  // Loaded only for a build that asks for SBOMs.
  const attest = await import('@tbuild/attest');
  return attest.planScans(plans, sbom, {
    graph,
    platform: services.platform,
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
