import type { StepId } from '@tbuild/graph';
import type { Platform, RuntimeConfig } from '@tbuild/oci';
import type { DeclaredArg } from './build-args.ts';
import { parseVariable, setVariable } from './environment.ts';
import type { Environment } from './environment.ts';
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
  readonly args: readonly DeclaredArg[];
  readonly config: RuntimeConfig;
  readonly author?: string;
  /** The step whose tree this is; undefined for an empty tree. */
  readonly tip?: StepId;
  readonly base?: Plan['base'];
  readonly history: readonly PlannedHistory[];
  /** CMD stood in this stage, so ENTRYPOINT leaves it. */
  readonly ownCommand: boolean;
  /** A WORKDIR stood in the file, in this stage or one that it stands on. */
  readonly ownWorkdir: boolean;
  /** How many steps were numbered. */
  readonly position: number;
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
  return { ...state, history: [...state.history, { createdBy }] };
}

/** On a new tip, with the entry of the history that it makes. */
export function withStep(state: StageState, step: StepId, createdBy: string): StageState {
  return { ...state, tip: step, history: [...state.history, { createdBy, step }] };
}

/** With a variable of the config set: replaced where it stands, or appended. */
export function withConfigVariable(state: StageState, name: string, value: string): StageState {
  const { Env = [] } = state.config;
  const entry = `${name}=${value}`;
  const at = Env.findIndex((existing) => parseVariable(existing).name === name);
  const env = at < 0 ? [...Env, entry] : Env.with(at, entry);
  return { ...withConfig(state, { Env: env }), env: setVariable(state.env, name, value) };
}
