import type { PlannedScan } from '@tbuild/attest';
import type { LintWarning } from '@tbuild/dockerfile';
import { unusedArgs, type Plan } from '@tbuild/frontend';
import type { Graph, GraphTarget } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import type { AskedTags } from '@tbuild/sources';
import type { Underway } from '../build-run.ts';
import { credentialsWarnings } from '../session/credentials-warning.ts';
import type { BuildInputs } from '../session/inputs.ts';
import { requireEntitlements } from './entitlements.ts';
import { showWarning } from './load-definition.ts';
import {
  openPlanning,
  type Planning,
  type PlanPorts,
  planRequest,
  refuseViolations,
  inFileOrder,
  uniqueWarnings,
} from './plan-request.ts';
import { planScans, scanSteps } from './plan-scans.ts';

/** The plan of a target: one per platform, and the steps of all of them. */
export interface BuildPlan {
  readonly plans: readonly Plan[];
  readonly scans: readonly PlannedScan[];
  readonly graph: Graph;
}

/** The place of a target among others. */
export interface PlanPlace {
  readonly place?: GraphTarget;
  /** The plans of the targets that are its contexts, by name. */
  readonly linked: ReadonlyMap<string, BuildPlan>;
  /** What the planning of other targets has asked registries. */
  readonly asked?: AskedTags;
}

/**
 * Plans a target for each platform.
 * @throws TbuildError as planning does, and for entitlements that are not granted; DOCKERFILE_SEMANTICS if the file
 * turns warnings into errors.
 */
export async function planBuild(
  inputs: BuildInputs,
  ports: PlanPorts,
  { place, linked, asked, ...underway }: Underway & PlanPlace,
): Promise<BuildPlan> {
  const { request } = inputs;
  const { progress } = underway;
  const plansOf = new Map([...linked].map(([name, { plans }]) => [name, plans] as const));
  const planning = { ...openPlanning(request, ports, { ...underway, target: place, asked }), linked: plansOf };
  for (const { graph } of linked.values()) planning.graph.include(graph);
  const plans = await planShowingWarnings(inputs, planning, progress);
  for (const warning of credentialsWarnings(plans)) progress.emit(warning);
  for (const message of unusedArgs(inputs.loaded.dockerfile, plans, request.buildArgs))
    progress.emit({ type: 'warning', message });
  const scans = await planScans(plans, request, planning);
  const graph = planning.graph.build([...plans.flatMap(({ target }) => target ?? []), ...scans.flatMap(scanSteps)]);
  await requireEntitlements(graph, request, ports);
  return { plans, scans, graph };
}

/** Plans a build and shows the warnings about its Dockerfile, even if planning fails. */
async function planShowingWarnings(
  inputs: BuildInputs,
  planning: Planning,
  progress: Progress,
): Promise<readonly Plan[]> {
  const found: LintWarning[] = [];
  try {
    const plans = await planRequest(inputs, { ...planning, onWarning: (warning) => found.push(warning) });
    refuseViolations(plans, inputs.loaded);
    return plans;
  } finally {
    for (const warning of inFileOrder(uniqueWarnings(found))) showWarning(warning, inputs.request, progress);
  }
}
