import type { ArgInstruction } from '@tbuild/dockerfile';
import { declareArg } from '../build-args.ts';
import { setVariable } from '../environment.ts';
import { withHistory } from '../stages/stage-state.ts';
import { expandIn, NOT_IN_ENVIRONMENT, type Lowering } from './lowering.ts';
import { warnOfSecret } from './secret-names.ts';

/** ARG in a stage: one argument after the other, so that a default may use the one before. */
export const lowerArg: Lowering<ArgInstruction> = (state, instruction, context) => {
  let next = state;
  const shown: string[] = [];
  for (const pair of instruction.args) {
    warnOfSecret('ARG', { name: pair.key.text, place: pair.key.location }, context);
    const { buildArgs, globalArgs } = context;
    const current = next;
    const arg = declareArg(pair, { buildArgs, globalArgs, expand: (word) => expandIn(current, word, context) });
    const isVariable = arg.value !== undefined && !NOT_IN_ENVIRONMENT.has(arg.name);
    next = {
      ...next,
      args: next.args.append(arg),
      env: isVariable ? setVariable(next.env, arg.name, arg.value) : next.env,
    };
    shown.push(arg.value === undefined ? arg.name : `${arg.name}=${arg.value}`);
  }
  return withHistory(next, `ARG ${shown.join(' ')}`);
};
