import { createBuildRef } from '@tbuild/builds';
import { assembleImages } from './assemble/assemble-images.ts';
import type { BuildResult } from './build-result.ts';
import type { BuildRun } from './build-run.ts';
import type { BuildTarget } from './build-target.ts';
import type { ImportedSteps } from './cache-transfer/imported-steps.ts';
import { exportFailed } from './export/export-failed.ts';
import { exportImages } from './export/export-images.ts';
import { type PlannedTarget, planTargets } from './plan/plan-targets.ts';
import type { BuildRequest } from './request.ts';
import type { Services } from './services.ts';
import { openSession } from './session/open-session.ts';
import { openSolving, type SolvedPlan } from './solve/open-solving.ts';

/**
 * Runs a build: opens the inputs and outputs, plans the steps, solves them, assembles the images and exports them.
 * @throws TbuildError for any error that a user can provoke. Finished steps stay cached.
 */
export async function runBuild(request: BuildRequest, services: Services, run: BuildRun): Promise<BuildResult> {
  const readSecret = (id: string): Buffer | undefined => run.readSecret?.(id);
  const { ref = createBuildRef(services.now()) } = run;
  const target = { name: '', ref, request, isLink: false, secretScope: '', readSecret };
  const results = await runBuilds([target], services, run);
  const result = results.get('');
  if (result === undefined) throw new Error('Expected the result of the only target');
  return result;
}

/**
 * Runs a build of several targets as one: their steps are one graph, in which steps that they share run once. Returns
 * the results by name.
 * @throws TbuildError as `runBuild`; the first failure ends all targets.
 */
export async function runBuilds(
  targets: readonly BuildTarget[],
  services: Services,
  run: BuildRun,
): Promise<ReadonlyMap<string, BuildResult>> {
  await using session = await openSession(targets, services, run);
  const { imported, underway } = session;
  const plan = await planTargets(session.targets, services);
  await session.imports;
  await using solving = openSolving({ ...plan, imported }, services, underway);
  const results = new Map<string, BuildResult>();
  for (;;) {
    const solvedFor = await solving.solve().catch(async (error: unknown) => {
      await exportFailed(plan.targets, solving.failed(), services);
      throw error;
    });
    try {
      await deliverAll(plan.targets, results, (target) =>
        deliver(target, services, { imported, solved: solvedFor(target.session.name) }),
      );
      return results;
    } catch (error) {
      // The layer of a cached step may be missing. Then its step runs.
      if (!solving.recover(error)) throw error;
    }
  }
}

/** How many targets are exported at once. */
const AT_ONCE = 4;

/** Delivers the targets that have no result yet. After a failure, those under way end, and no other starts. */
async function deliverAll(
  targets: readonly PlannedTarget[],
  results: Map<string, BuildResult>,
  work: (target: PlannedTarget) => Promise<BuildResult>,
): Promise<void> {
  const pending = targets.filter(({ session }) => !session.isLink && !results.has(session.name));
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let target = pending.shift(); target !== undefined && failure === undefined; target = pending.shift()) {
      try {
        results.set(target.session.name, await work(target));
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failure !== undefined) throw failure.error;
}

interface Solved {
  readonly solved: SolvedPlan;
  readonly imported: ImportedSteps;
}

/** Assembles and exports the images of a target. */
async function deliver(
  { session, plan }: PlannedTarget,
  services: Services,
  { solved, imported }: Solved,
): Promise<BuildResult> {
  const { inputs, outputs, underway } = session;
  const assembled = await assembleImages({ plan, solved, inputs }, services, underway);
  return exportImages({ plan, solved, inputs, ...assembled, outputs, imported }, services, underway);
}
