import type { StepId } from '@tbuild/graph';
import type { Platform, RuntimeConfig } from '@tbuild/oci';
import type { DeclaredArg } from '../build-args.ts';
import { parseVariable, setVariable, type Environment } from '../environment.ts';
import { GrowingList, GrowingMap } from '../growing.ts';
import type { DeclaredMount, Plan, PlannedHistory } from '../plan.ts';

/** The immutable state of a stage after some of its instructions. */
export interface StageState {
  /** The platform of its RUN steps. */
  readonly platform: Platform;
  /** The platform that the base image declares. */
  readonly imagePlatform?: Platform;
  /** The variables for words and for RUN processes: those of the config and the stage's ARGs. */
  readonly env: Environment;
  /** Declared ARGs in order; a name may occur twice. */
  readonly args: GrowingList<DeclaredArg>;
  /** The secrets and agents that this stage's RUN steps ask for, in order. */
  readonly declaredMounts: GrowingList<DeclaredMount>;
  /** Without the entries that this stage adds to lists and sets: see {@link configOf}. */
  readonly config: RuntimeConfig;
  readonly added: ConfigAdditions;
  readonly author?: string;
  /** The step with the tree of this state; undefined for an empty tree. */
  readonly tip?: StepId;
  readonly base?: Plan['base'];
  readonly history: GrowingList<PlannedHistory>;
  /** Whether CMD occurred in this stage, so that ENTRYPOINT keeps it. */
  readonly ownCommand: boolean;
  /** Whether WORKDIR occurred in this stage or in one that it is based on. */
  readonly ownWorkdir: boolean;
  /** The number of steps that have a number. */
  readonly position: number;
}

/** The entries that instructions add to the config. There may be very many. */
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

/** Returns the whole config of a state. */
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

/** A variable is replaced at the first position of its name, or appended. */
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

/** Adds entries to a part of the config. */
export function withAdded<P extends 'labels' | 'volumes' | 'ports'>(
  state: StageState,
  part: P,
  entries: readonly (readonly [string, P extends 'labels' ? string : object])[],
): StageState {
  const map: GrowingMap<string | object> = state.added[part];
  const grown = entries.reduce((current, [name, value]) => current.set(name, value), map);
  return { ...state, added: { ...state.added, [part]: grown } };
}

/** Returns the directory that RUN starts in and that relative paths refer to. */
export function cwdOf(state: StageState): string {
  return state.config.WorkingDir || '/';
}

/** Returns the prefix of the shell forms of RUN, CMD and ENTRYPOINT. */
export function shellOf(state: StageState): readonly string[] {
  const { Shell = [] } = state.config;
  return Shell.length > 0 ? Shell : ['/bin/sh', '-c'];
}

/** Replaces parts of the config; undefined removes a part. */
export function withConfig(state: StageState, change: RuntimeConfig): StageState {
  return { ...state, config: { ...state.config, ...change } };
}

/** Adds an entry without a layer to the history. */
export function withHistory(state: StageState, createdBy: string): StageState {
  return { ...state, history: state.history.append({ createdBy }) };
}

/** Moves to a new tip and adds its entry to the history. */
export function withStep(state: StageState, step: StepId, createdBy: string): StageState {
  return { ...state, tip: step, history: state.history.append({ createdBy, step }) };
}

/** Sets a variable of the config: replaces it in place, or appends it. */
export function withConfigVariable(state: StageState, name: string, value: string): StageState {
  const added = { ...state.added, env: state.added.env.set(name, `${name}=${value}`) };
  return { ...state, added, env: setVariable(state.env, name, value) };
}
