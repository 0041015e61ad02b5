import type { StepId } from '@tbuild/graph';
import type { Platform, RuntimeConfig } from '@tbuild/oci';
import type { DeclaredArg } from './build-args.ts';
import { parseVariable, setVariable } from './environment.ts';
import type { Environment } from './environment.ts';
import { GrowingList, GrowingMap } from './growing.ts';
import type { Plan, PlannedHistory } from './plan.ts';

/** Where a stage stands after some of its instructions; never changed, only replaced. */
export interface StageState {
  /** On which RUN steps run. */
  readonly platform: Platform;
  /** What the base image says of itself. */
  readonly imagePlatform?: Platform;
  /** What words are expanded with and RUN processes get: the config's variables and the stage's ARGs. */
  readonly env: Environment;
  /** Declared ARGs in order; a name may come twice. */
  readonly args: GrowingList<DeclaredArg>;
  /** Without what this stage adds to lists and sets: {@link configOf} has all. */
  readonly config: RuntimeConfig;
  readonly added: ConfigAdditions;
  readonly author?: string;
  /** The step whose tree this is; undefined for an empty tree. */
  readonly tip?: StepId;
  readonly base?: Plan['base'];
  readonly history: GrowingList<PlannedHistory>;
  /** CMD stood in this stage, so ENTRYPOINT leaves it. */
  readonly ownCommand: boolean;
  /** A WORKDIR stood in the file, in this stage or one that it stands on. */
  readonly ownWorkdir: boolean;
  /** How many steps were numbered. */
  readonly position: number;
}

/** What instructions add to the config one by one: there may be very many. */
export interface ConfigAdditions {
  /** `NAME=value` by name. */
  readonly env: GrowingMap<string>;
  readonly labels: GrowingMap<string>;
  readonly volumes: GrowingMap<object>;
  readonly ports: GrowingMap<object>;
  readonly triggers: GrowingList<string>;
}

/** Nothing added. */
export function noAdditions(): ConfigAdditions {
  return {
    env: GrowingMap.of<string>([]),
    labels: GrowingMap.of<string>([]),
    volumes: GrowingMap.of<object>([]),
    ports: GrowingMap.of<object>([]),
    triggers: new GrowingList(),
  };
}

/** The whole config of a state. */
export function configOf({ config, added }: StageState): RuntimeConfig {
  const { env, labels, volumes, ports, triggers } = added;
  return {
    ...config,
    ...(env.length === 0 ? {} : { Env: mergeVariables(config.Env, env) }),
    ...(labels.length === 0 ? {} : { Labels: { ...config.Labels, ...Object.fromEntries(labels.byFirst()) } }),
    ...(volumes.length === 0 ? {} : { Volumes: { ...config.Volumes, ...Object.fromEntries(volumes.byFirst()) } }),
    ...(ports.length === 0 ? {} : { ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(ports.byFirst()) } }),
    ...(triggers.length === 0 ? {} : { OnBuild: [...(config.OnBuild ?? []), ...triggers] }),
  };
}

/** Variables are replaced where they stand, at the first place of a name that stands twice, or appended. */
function mergeVariables(existing: readonly string[] = [], added: GrowingMap<string>): string[] {
  const rest = new Map(added.byFirst());
  const replaced = existing.map((entry) => {
    const { name } = parseVariable(entry);
    const own = rest.get(name);
    rest.delete(name);
    return own ?? entry;
  });
  return [...replaced, ...rest.values()];
}

/** With entries added to a part of the config. */
export function withAdded<P extends 'labels' | 'volumes' | 'ports'>(
  state: StageState,
  part: P,
  entries: readonly (readonly [string, P extends 'labels' ? string : object])[],
): StageState {
  const map: GrowingMap<string | object> = state.added[part];
  const grown = entries.reduce((current, [name, value]) => current.set(name, value), map);
  return { ...state, added: { ...state.added, [part]: grown } };
}

/** The directory in which RUN runs and against which relative paths count. */
export function cwdOf(state: StageState): string {
  return state.config.WorkingDir || '/';
}

/** What the shell forms of RUN, CMD and ENTRYPOINT start with. */
export function shellOf(state: StageState): readonly string[] {
  const { Shell = [] } = state.config;
  return Shell.length > 0 ? Shell : ['/bin/sh', '-c'];
}

/** With parts of the config replaced; undefined removes one. */
export function withConfig(state: StageState, change: RuntimeConfig): StageState {
  return { ...state, config: { ...state.config, ...change } };
}

/** With an entry of the history that has no layer. */
export function withHistory(state: StageState, createdBy: string): StageState {
  return { ...state, history: state.history.append({ createdBy }) };
}

/** On a new tip, with the entry of the history that it makes. */
export function withStep(state: StageState, step: StepId, createdBy: string): StageState {
  return { ...state, tip: step, history: state.history.append({ createdBy, step }) };
}

/** With a variable of the config set: replaced where it stands, or appended. */
export function withConfigVariable(state: StageState, name: string, value: string): StageState {
  const added = { ...state.added, env: state.added.env.set(name, `${name}=${value}`) };
  return { ...state, added, env: setVariable(state.env, name, value) };
}
