import type { StageInstruction } from '@tbuild/dockerfile';
import type { StageState } from '../stages/stage-state.ts';
import { lowerArg } from './arg.ts';
import { lowerCopy } from './copy.ts';
import { lowerExpose } from './expose.ts';
import type { Lowering, LoweringContext } from './lowering.ts';
import {
  lowerCmd,
  lowerEntrypoint,
  lowerEnv,
  lowerHealthcheck,
  lowerLabel,
  lowerMaintainer,
  lowerOnbuild,
  lowerShell,
  lowerStopsignal,
  lowerUser,
  lowerVolume,
} from './metadata.ts';
import { lowerRun } from './run.ts';
import { lowerWorkdir } from './workdir.ts';

type Kind = StageInstruction['kind'];
type OfKind<K extends Kind, I = StageInstruction> = I extends { readonly kind: infer Own }
  ? K extends Own
    ? I
    : never
  : never;
type ByKind = { readonly [K in Kind]: OfKind<K> };

const LOWERINGS: { readonly [K in Kind]: Lowering<ByKind[K]> } = {
  add: lowerCopy,
  arg: lowerArg,
  cmd: lowerCmd,
  copy: lowerCopy,
  entrypoint: lowerEntrypoint,
  env: lowerEnv,
  expose: lowerExpose,
  healthcheck: lowerHealthcheck,
  label: lowerLabel,
  maintainer: lowerMaintainer,
  onbuild: lowerOnbuild,
  run: lowerRun,
  shell: lowerShell,
  stopsignal: lowerStopsignal,
  user: lowerUser,
  volume: lowerVolume,
  workdir: lowerWorkdir,
};

/** Lowers an instruction: returns the state of the stage after it. */
export function lowerInstruction(
  state: StageState,
  instruction: StageInstruction,
  context: LoweringContext,
): StageState {
  return apply(instruction.kind, instruction, { state, context });
}

function apply<K extends Kind>(
  kind: K,
  instruction: ByKind[K],
  { state, context }: { readonly state: StageState; readonly context: LoweringContext },
): StageState {
  return LOWERINGS[kind](state, instruction, context);
}
