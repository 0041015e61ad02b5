import type { Dockerfile } from '@tbuild/dockerfile';
import { samePlatform, type Platform } from '@tbuild/oci';
import { globalScope, proxyEnv } from './build-args.ts';
import { openChecks, type Checks } from './checks/checks.ts';
import { checkFroms } from './checks/from-checks.ts';
import type { Environment } from './environment.ts';
import { epochSource } from './epoch-source.ts';
import type { Plan, PlanOptions } from './plan.ts';
import { lowerStages } from './stages/lower-stages.ts';
import { resolveStages } from './stages/resolve-stages.ts';
import { scanTargets } from './stages/scan-targets.ts';
import { findTarget, openStageGraph, stageLabel } from './stages/stage-graph.ts';
import { checkCycles } from './stages/stage-sources.ts';
import { configOf, type StageState } from './stages/stage-state.ts';

/**
 * Plans the build of a Dockerfile's target for one platform. Only stages that the target needs become steps of
 * `options.graph`, and only their images are requested, once each.
 * @throws TbuildError DOCKERFILE_SEMANTICS with the location of an error in the file; the errors of `resolveImage`.
 */
export async function planBuild(dockerfile: Dockerfile, options: PlanOptions): Promise<Plan> {
  const globalArgs: Environment = globalScope(dockerfile, options);
  // A build resolves it before it plans. Here a wrong value fails checks too.
  epochSource(dockerfile, options);
  const checks = openChecks(dockerfile, options);
  checkFroms(dockerfile, { ...options, globalArgs }, checks.report);
  const graph = openStageGraph(dockerfile, { ...options, globalArgs });
  checkCycles(graph);
  const target = findTarget(graph, options.target);
  const resolved = await resolveStages(graph, target, options);
  const states = lowerStages(resolved, {
    graph,
    escape: dockerfile.directives.escape,
    globalArgs,
    options,
    report: checks.report,
  });
  const state = states.get(target.stage.index);
  if (state === undefined) throw new Error('The target was not planned');
  const declaredArgs = graph.nodes.flatMap(({ stage }) =>
    (states.get(stage.index)?.args.toArray() ?? []).map((arg) => ({ stage: stageLabel({ stage }), ...arg })),
  );
  const declaredMounts = graph.nodes.flatMap(({ stage }) =>
    (states.get(stage.index)?.declaredMounts.toArray() ?? []).map((mount) => ({
      stage: stageLabel({ stage }),
      ...mount,
    })),
  );
  const scans = scanTargets(target, states, { graph: options.graph, globalArgs, nodes: graph.nodes });
  return { ...toPlan(state, options, checks), declaredArgs, declaredMounts, scans };
}

function toPlan(
  state: StageState,
  options: PlanOptions,
  checks: Checks,
): Omit<Plan, 'declaredArgs' | 'declaredMounts' | 'scans'> {
  const { base, author, tip } = state;
  const config = configOf(state);
  const labels = { ...config.Labels, ...options.labels };
  const hasLabels = Object.keys(labels).length > 0;
  return {
    platform: platformOf(state, options),
    ...(tip === undefined ? {} : { target: tip }),
    ...(base === undefined ? {} : { base }),
    config: hasLabels ? { ...config, Labels: labels } : config,
    ...(author === undefined ? {} : { author }),
    history: state.history.toArray(),
    warnings: checks.warnings(),
    violations: checks.violations(),
    proxyEnv: proxyEnv(options.buildArgs),
  };
}

/** The image has the version and features of its base's system, which no option names. */
function platformOf(
  { imagePlatform, platform }: StageState,
  options: Pick<PlanOptions, 'implicitPlatform' | 'platform'>,
): Platform {
  if (options.implicitPlatform === true) return imagePlatform ?? platform;
  if (imagePlatform === undefined || !samePlatform(imagePlatform, options.platform)) return options.platform;
  const { 'os.version': version, 'os.features': features } = imagePlatform;
  return {
    ...options.platform,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
  };
}
