import type { SourceRange } from '@tbuild/errors';
import type { GraphBuilder, StepId } from '@tbuild/graph';
import type { ImageConfig, Platform, RuntimeConfig } from '@tbuild/oci';
import { emptyEnvironment, parseVariable, setVariable, type Environment } from '../environment.ts';
import { GrowingList } from '../growing.ts';
import type { Plan, ResolvedImage } from '../plan.ts';
import { configOf, noAdditions, type StageState } from '../stages/stage-state.ts';

/** Docker's PATH for Linux, if the base has none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Returns the initial state of a stage on an empty tree. */
export function openScratch(platform: Platform): StageState {
  return {
    platform,
    env: emptyEnvironment(),
    args: new GrowingList(),
    declaredMounts: new GrowingList(),
    config: { WorkingDir: '/' },
    added: noAdditions(),
    history: new GrowingList(),
    ownCommand: false,
    ownWorkdir: false,
    position: 0,
  };
}

/** Returns the initial state of a stage on an image; `step` is undefined for an image without layers. */
export function openImage({ config }: ResolvedImage, step: StepId | undefined, platform: Platform): StageState {
  const { history, diffIds, author } = config;
  return {
    ...openScratch(platform),
    config: withoutEmpty(config.config),
    imagePlatform: config.platform,
    ...(author === undefined ? {} : { author }),
    base: { history, diffIds, ...(step === undefined ? {} : { step }) },
    ...(step === undefined ? {} : { tip: step }),
    position: 1,
  };
}

/** Returns the initial state of a stage on another target of the same graph, as on its image. */
export function openPlan({ platform, config, author, base, history, target }: Plan): StageState {
  return {
    ...openScratch(platform),
    config: withoutEmpty(config),
    imagePlatform: platform,
    history: new GrowingList([...history]),
    ...(author === undefined ? {} : { author }),
    ...(base === undefined ? {} : { base }),
    ...(target === undefined ? {} : { tip: target }),
  };
}

/** Returns the initial state of a stage on another one. It inherits the ARGs, but not the ONBUILD triggers. */
export function openStage(below: StageState): StageState {
  const config = { ...configOf(below), OnBuild: undefined };
  const own = { added: noAdditions(), declaredMounts: new GrowingList<never>(), ownCommand: false, position: 0 };
  return { ...below, config, ...own };
}

/** Puts the config's variables, at least PATH, into the environment. */
export function enterConfig(state: StageState, { triggered }: { readonly triggered: boolean }): StageState {
  const { Env = [] } = state.config;
  const hasPath = Env.some((entry) => parseVariable(entry).name === 'PATH');
  const all = hasPath ? Env : [...Env, `PATH=${DEFAULT_PATH}`];
  const env = all
    .map(parseVariable)
    .reduce<Environment>((known, { name, value }) => setVariable(known, name, value), state.env);
  return { ...state, env, config: { ...state.config, Env: all, ...(triggered ? { OnBuild: undefined } : {}) } };
}

/** Adds the step of an image. Returns undefined for an image without layers. */
export function addImage(
  graph: GraphBuilder,
  { reference, source, manifest, config }: ResolvedImage,
  label: { readonly name: string; readonly platform: Platform; readonly location?: SourceRange },
): StepId | undefined {
  if (isEmptyImage(config)) return undefined;
  const { name, platform, location } = label;
  return graph.add({
    op: { kind: 'image', reference, source, manifest, diffIds: config.diffIds, platform },
    sources: [],
    name,
    noCache: false,
    location,
  });
}

function isEmptyImage({ diffIds }: ImageConfig): boolean {
  return diffIds.length === 0;
}

/** Docker writes no empty lists, so they count as absent. */
function withoutEmpty(config: RuntimeConfig): RuntimeConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !Array.isArray(value) || value.length > 0));
}
