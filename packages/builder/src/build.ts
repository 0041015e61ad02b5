import { createBuildRef } from '@tbuild/builds';
import pLimit from 'p-limit';
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
import type { TargetSession } from './session/open-target.ts';
import { openSolving, type SolvedPlan, type Solving } from './solve/open-solving.ts';

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
  if (session.targets.some(runsAnew)) services.network.start();
  const plan = await planTargets(session.targets, services);
  await session.imports;
  await using solving = openSolving({ ...plan, imported }, services, underway);
  const results = new Map<string, BuildResult>();
  const limit = pLimit(AT_ONCE);
  await untilFailure(plan.targets, solving, async (target, failed) => {
    const { name, isLink } = target.session;
    if (isLink) return void (await solving.solve(target));
    const work = (solved: SolvedPlan): Promise<BuildResult> =>
      limit(() => {
        failed.throwIfAborted();
        return deliver(target, services, { imported, solved });
      });
    results.set(name, await solveAndDeliver(target, solving, work));
  }).catch(async (error: unknown) => {
    await exportFailed(plan.targets, solving.failed(), services);
    throw error;
  });
  // In the order of the targets, not in that in which they ended.
  return new Map(targets.flatMap(({ name }) => [...results].filter(([of]) => of === name)));
}

/** Returns whether a step is sure to run that uses the network. */
function runsAnew({ inputs: { request, loaded } }: TargetSession): boolean {
  if (request.noCache !== true || request.network === 'none' || request.network === 'host') return false;
  return loaded.dockerfile.stages.some(({ instructions }) => instructions.some(({ kind }) => kind === 'run'));
}

/** How many targets are exported at once. */
const AT_ONCE = 4;

/** Works on all targets. After a failure, running steps are cancelled, exports under way end, and no other starts. */
async function untilFailure(
  targets: readonly PlannedTarget[],
  solving: Solving,
  work: (target: PlannedTarget, failed: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  await Promise.all(
    targets.map(async (target) => {
      try {
        await work(target, failed.signal);
      } catch (error) {
        failed.abort(error);
        solving.abort();
      }
    }),
  );
  failed.signal.throwIfAborted();
}

/** Delivers a target as soon as its own steps are solved, and again when a layer turns out to be missing. */
async function solveAndDeliver(
  target: PlannedTarget,
  solving: Solving,
  work: (solved: SolvedPlan) => Promise<BuildResult>,
): Promise<BuildResult> {
  for (let solved = await solving.solve(target); ;) {
    try {
      return await work(solved);
    } catch (error) {
      // The layer of a cached step may be missing. Then its step runs, unless it runs for another target already.
      const isLost = solving.recover(error);
      const again = await solving.solve(target);
      if (!isLost && isSame(solved, again)) throw error;
      solved = again;
    }
  }
}

const isSame = ({ steps }: SolvedPlan, again: SolvedPlan): boolean =>
  [...steps].every(([id, solved]) => again.steps.get(id) === solved);

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
