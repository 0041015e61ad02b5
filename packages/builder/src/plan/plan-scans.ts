import type { PlannedScan } from '@tbuild/attest';
import type { Plan } from '@tbuild/frontend';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import { resolveImages, type Planning } from './plan-request.ts';

/** Plans the SBOMs of a build that wants them, and adds their steps to the graph. */
export async function planScans(
  plans: readonly Plan[],
  graph: GraphBuilder,
  planning: Planning,
): Promise<readonly PlannedScan[]> {
  const { request, services, signal } = planning;
  const { sbom } = request.attestations ?? {};
  if (sbom === undefined) return [];
  // Loaded only for builds with SBOMs.
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

/** Returns the steps that a scan needs besides the image. */
export function scanSteps({ scanner, extras }: PlannedScan): readonly StepId[] {
  return scanner === undefined ? extras.map(({ step }) => step) : [scanner];
}
