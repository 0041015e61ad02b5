import type { PlannedScan } from '@tbuild/attest';
import type { Plan } from '@tbuild/frontend';
import { GraphBuilder, type Graph } from '@tbuild/graph';
import { credentialsWarnings } from '../session/credentials-warning.ts';
import type { Session } from '../session/open-session.ts';
import { requireEntitlements } from './entitlements.ts';
import { planToBuild } from './plan-request.ts';
import { planScans, scanSteps } from './plan-scans.ts';

/** One plan per platform, and the steps of all plans. */
export interface BuildPlan {
  readonly plans: readonly Plan[];
  readonly scans: readonly PlannedScan[];
  readonly graph: Graph;
}

/**
 * Plans a build for each platform, and waits for the imported caches.
 * @throws TbuildError as planning does, and for entitlements that are not granted.
 */
export async function planBuild(session: Session): Promise<BuildPlan> {
  const builder = new GraphBuilder();
  const plans = await planToBuild(session, builder);
  for (const warning of credentialsWarnings(plans)) session.progress.emit(warning);
  const scans = await planScans(plans, builder, session);
  const graph = builder.build([...plans.flatMap(({ target }) => target ?? []), ...scans.flatMap(scanSteps)]);
  requireEntitlements(graph, session.request);
  await session.imports;
  return { plans, scans, graph };
}
