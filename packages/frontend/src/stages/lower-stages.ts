import type { StageInstruction } from '@tbuild/dockerfile';
import { TbuildError, type SourceRange } from '@tbuild/errors';
import type { StepId } from '@tbuild/graph';
import type { Report } from '../checks/checks.ts';
import { checkBasePlatform } from '../checks/from-checks.ts';
import { checkRepeats } from '../checks/stage-checks.ts';
import type { Environment } from '../environment.ts';
import { addImage, enterConfig, openImage, openPlan, openScratch, openStage } from '../lower/from.ts';
import type { LoweringContext, Tree } from '../lower/lowering.ts';
import { lowerInstruction } from '../lower/table.ts';
import type { Origin } from '../origin.ts';
import type { PlanOptions } from '../plan.ts';
import { stepName, type Numbering } from '../step-name.ts';
import type { ResolvedStage, ResolvedStages } from './resolve-stages.ts';
import { addContext } from './scan-targets.ts';
import { stageLabel, type StageGraph } from './stage-graph.ts';
import { resolveSource, sourceNames } from './stage-sources.ts';
import { withStep, type StageState } from './stage-state.ts';

export interface LowerStagesOptions {
  readonly graph: StageGraph;
  readonly escape: '\\' | '`';
  readonly globalArgs: Environment;
  readonly options: PlanOptions;
  readonly report: Report;
}

/** Returns the final state of each stage by index, and adds the steps to the graph. */
export function lowerStages(resolved: ResolvedStages, lowering: LowerStagesOptions): ReadonlyMap<number, StageState> {
  const states = new Map<number, StageState>();
  const work = { ...lowering, resolved, states };
  for (const stage of resolved.stages) states.set(stage.node.stage.index, lowerStage(stage, work));
  return states;
}

interface Work extends LowerStagesOptions {
  readonly resolved: ResolvedStages;
  readonly states: ReadonlyMap<number, StageState>;
}

function lowerStage(stage: ResolvedStage, work: Work): StageState {
  const { node, triggers } = stage;
  const numbering = numberingOf(stage, work);
  const opened = openBase(stage, numbering, work);
  if (node.replaced) return enterConfig(opened, { triggered: false });
  const context = contextOf(stage, numbering, work);
  const entered = enterConfig(opened, { triggered: triggers.length > 0 });
  const lowerAll = (state: StageState, instructions: readonly StageInstruction[], trigger: boolean): StageState =>
    instructions.reduce((current, instruction) => {
      const warn: LoweringContext['warn'] = (rule, message, token) =>
        work.report(rule, message, { instruction, token: trigger ? node.stage.from.image.location : token });
      const lower = () => lowerInstruction(current, instruction, { ...context, trigger, warn });
      return trigger ? placed(lower, node.stage.from.location) : lower();
    }, state);
  const lowered = lowerAll(lowerAll(entered, triggers, true), node.stage.instructions, false);
  checkRepeats([...triggers, ...node.stage.instructions], work.report);
  return lowered;
}

/** The words of a trigger are not in the file, so its errors point to the FROM. */
function placed(lower: () => StageState, location: SourceRange): StageState {
  try {
    return lower();
  } catch (error) {
    throw error instanceof TbuildError ? Object.assign(error, { location }) : error;
  }
}

function openBase(
  { node, image, platform }: ResolvedStage,
  numbering: Numbering,
  { options, states, report }: Work,
): StageState {
  const { base } = node;
  const { location } = node.stage.from;
  if (base.kind === 'scratch') return openScratch(platform);
  if (base.kind === 'files') return openFiles(base.context, { platform, location, options });
  if (base.kind === 'remote') return withStep(openScratch(platform), fetchRemote(base, location, options), base.title);
  if (base.kind === 'stage') return openStage(stateOf(states, base.index));
  if (base.kind === 'target') return openPlan(base.plan);
  if (image === undefined) throw new Error(`The base of stage ${stageLabel(node)} was not resolved`);
  checkBasePlatform(node.stage, { name: node.baseName, config: image.config, wanted: platform }, report);
  const name = stepName(numbering, { position: 1, command: `FROM ${image.reference}` });
  return openImage(image, addImage(options.graph, image, { name, platform, location }), platform);
}

/** Uses a directory as base: it is one layer. */
function openFiles(
  context: string,
  { platform, location, options }: Pick<ResolvedStage, 'platform'> & { location: SourceRange; options: PlanOptions },
): StageState {
  const step = addContext(options.graph, context, location);
  return withStep(openScratch(platform), step, `[context ${context}] load from client`);
}

/** Fetches files from a server in the same way as ADD. */
function fetchRemote(
  { op, title }: Extract<Origin, { kind: 'remote' }>,
  location: SourceRange,
  { graph }: PlanOptions,
): StepId {
  return graph.add({ op, sources: [], name: title, noCache: false, location });
}

function contextOf(
  { node }: ResolvedStage,
  numbering: Numbering,
  work: Work,
): Omit<LoweringContext, 'trigger' | 'warn'> {
  const { options, graph, globalArgs } = work;
  const { noCache } = options;
  const name = node.stage.name;
  const listed = (names: readonly string[]) => names.some((listed) => listed.toLowerCase() === name);
  return {
    graph: options.graph,
    escape: work.escape,
    globalArgs,
    buildArgs: options.buildArgs,
    numbering,
    noCache: typeof noCache === 'boolean' ? noCache : listed(noCache),
    network: options.network ?? 'default',
    isIgnored: (path) => options.isIgnored?.(path) ?? false,
    sourceOf: (from, place) => treeOf(resolveSource(graph, { name: from, ...place }), place.location, work),
  };
}

function treeOf(origin: Origin, location: SourceRange, { options, resolved, states }: Work): Tree {
  if (origin.kind === 'scratch') return { kind: 'empty' };
  if (origin.kind === 'files') return { kind: 'context', name: origin.context };
  if (origin.kind === 'remote') return stepTree(fetchRemote(origin, location, options));
  if (origin.kind === 'stage') return stepTree(stateOf(states, origin.index).tip);
  if (origin.kind === 'target') return stepTree(origin.plan.target);
  const { platform, graph } = options;
  const image = resolved.imageOf(origin, platform);
  return stepTree(addImage(graph, image, { name: `FROM ${image.reference}`, platform, location }));
}

function stepTree(step: StageState['tip']): Tree {
  return step === undefined ? { kind: 'empty' } : { kind: 'step', step };
}

function stateOf(states: ReadonlyMap<number, StageState>, index: number): StageState {
  const state = states.get(index);
  if (state === undefined) throw new Error(`Stage ${index} was not planned`);
  return state;
}

const NUMBERED: ReadonlySet<StageInstruction['kind']> = new Set(['run', 'copy', 'add', 'workdir']);

/** Counts as Docker does: a base image, each instruction with a layer, and every trigger. */
function numberingOf({ node, platform, triggers }: ResolvedStage, work: Work): Numbering {
  const { base, stage, replaced } = node;
  const standsOnImage = base.kind !== 'scratch' && base.kind !== 'stage' && base.kind !== 'target';
  const own = stage.instructions.filter(({ kind }) => NUMBERED.has(kind)).length;
  return {
    total: replaced ? 0 : Number(standsOnImage) + own + triggers.length,
    ...(hasOneTree(work) ? {} : { stageName: stageLabel(node) }),
    ...(work.options.showPlatform === true ? { platform } : {}),
  };
}

/** Docker names the stage in its steps once the file has a second tree: a stage, an image to copy from, or a mount. */
function hasOneTree({ graph }: Work): boolean {
  const [first, second] = graph.nodes;
  if (first === undefined || second !== undefined) return false;
  return first.stage.instructions.every((instruction) => {
    const mounts = instruction.kind === 'run' ? instruction.mounts.length : 0;
    return mounts === 0 && sourceNames(instruction).every((source) => resolveSource(graph, source).kind === 'stage');
  });
}
