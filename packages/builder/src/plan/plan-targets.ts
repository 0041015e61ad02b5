import { getOrMake } from '@tbuild/concurrency';
import { TbuildError } from '@tbuild/errors';
import { joinGraphs, type Graph } from '@tbuild/graph';
import { type AskedTags, createAskedTags } from '@tbuild/sources';
import type { BuildRequest } from '../request.ts';
import type { TargetSession } from '../session/open-target.ts';
import { type BuildPlan, planBuild } from './plan-build.ts';
import type { PlanPorts } from './plan-request.ts';

/** A target and its plan. */
export interface PlannedTarget {
  readonly session: TargetSession;
  readonly plan: BuildPlan;
}

/** The plans of a build's targets, and the steps of all of them. */
export interface JointPlan {
  readonly targets: readonly PlannedTarget[];
  readonly graph: Graph;
}

/**
 * Plans targets concurrently, each after those that are its contexts. The graph is the same in every run: of targets
 * that share a step, the first one gives it its name.
 * @throws TbuildError as `planBuild`.
 */
export async function planTargets(sessions: readonly TargetSession[], ports: PlanPorts): Promise<JointPlan> {
  const plans = new Map<string, Promise<BuildPlan>>();
  const asked = createAskedTags();
  const byName = new Map(sessions.map((session) => [session.name, session]));
  const planOf = (session: TargetSession): Promise<BuildPlan> =>
    getOrMake(plans, session.name, () => planTarget(session, { ports, byName, asked, planOf }));
  const ordered = inOrder(sessions, byName);
  const planned = await settled(ordered.map(async (session) => ({ session, plan: await planOf(session) })));
  return { targets: planned, graph: joinGraphs(planned.map(({ plan }) => plan.graph)) };
}

interface TargetPlanning {
  readonly ports: PlanPorts;
  readonly byName: ReadonlyMap<string, TargetSession>;
  readonly asked: AskedTags;
  planOf(session: TargetSession): Promise<BuildPlan>;
}

async function planTarget(
  session: TargetSession,
  { ports, byName, asked, planOf }: TargetPlanning,
): Promise<BuildPlan> {
  const { inputs, underway, place } = session;
  const links = linksOf(inputs.request).map(async (name) => [name, await planOf(sessionOf(name, byName))] as const);
  return planBuild(inputs, ports, { ...underway, place, asked, linked: new Map(await Promise.all(links)) });
}

/** Waits for all targets, so that none goes on behind a failure, which is that of the first that failed. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

function linksOf({ namedContexts }: BuildRequest): string[] {
  return Object.values(namedContexts).flatMap((spec) => (spec.kind === 'target' ? [spec.name] : []));
}

function sessionOf(name: string, byName: ReadonlyMap<string, TargetSession>): TargetSession {
  const session = byName.get(name);
  if (session !== undefined) return session;
  throw new TbuildError('USAGE', `No target has the name ${JSON.stringify(name)}, which is a context of another one`);
}

/**
 * Returns the targets, each behind those that are its contexts.
 * @throws TbuildError USAGE for targets that are contexts of each other.
 */
function inOrder(
  sessions: readonly TargetSession[],
  byName: ReadonlyMap<string, TargetSession>,
): readonly TargetSession[] {
  const done = new Set<TargetSession>();
  const visit = (session: TargetSession, path: readonly TargetSession[]): void => {
    if (done.has(session)) return;
    if (path.includes(session))
      throw new TbuildError('USAGE', `The target ${JSON.stringify(session.name)} is a context of itself`);
    for (const name of linksOf(session.inputs.request)) visit(sessionOf(name, byName), [...path, session]);
    done.add(session);
  };
  for (const session of sessions) visit(session, []);
  return [...done];
}
