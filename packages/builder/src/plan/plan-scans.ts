import type { PlannedScan } from '@tbuild/attest';
import type { Plan } from '@tbuild/frontend';
import type { StepId } from '@tbuild/graph';
import type { BuildRequest } from '../request.ts';
import type { Planning } from './plan-request.ts';

/** Plans the SBOMs of a build that wants them, and adds their steps to the graph. */
export async function planScans(
  plans: readonly Plan[],
  { attestations, context, noCache }: Pick<BuildRequest, 'attestations' | 'context' | 'noCache'>,
  { graph, buildPlatform: platform, resolveImage, signal }: Planning,
): Promise<readonly PlannedScan[]> {
  const { sbom } = attestations ?? {};
  if (sbom === undefined) return [];
  // Loaded only for builds with SBOMs.
  const attest = await import('@tbuild/attest');
  return attest.planScans(plans, sbom, {
    graph,
    platform,
    isContextEmpty: context.kind === 'empty',
    noCache: noCache === true,
    resolveImage,
    signal,
  });
}

/** Returns the steps that a scan needs besides the image. */
export function scanSteps({ scanner, extras }: PlannedScan): readonly StepId[] {
  return scanner === undefined ? extras.map(({ step }) => step) : [scanner];
}
