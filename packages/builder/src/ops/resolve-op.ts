import type { ResultId, Step, StepOp } from '@tbuild/graph';
import type { Op } from '@tbuild/solver';
import { copyOp } from './copy/copy.ts';
import { fetchStep } from './fetch/fetch-step.ts';
import { gitOp } from './fetch/git.ts';
import { httpOp } from './fetch/http.ts';
import { imageOp } from './image/image.ts';
import { mkdirOp } from './mkdir/mkdir.ts';
import type { OpEnvironment, StepContext } from './op-environment.ts';
import { runOp } from './run/run.ts';
import { stackOp } from './stack/stack.ts';

type Makers = {
  readonly [Kind in StepOp['kind']]: (op: Extract<StepOp, { kind: Kind }>, context: StepContext) => Op<ResultId>;
};

const makers: Makers = {
  image: imageOp,
  run: runOp,
  copy: copyOp,
  mkdir: mkdirOp,
  stack: (_op, context) => stackOp(context),
  http: (op, context) => httpOp(op, fetchStep(context)),
  git: (op, context) => gitOp(op, fetchStep(context)),
};

/** Returns the op of a step. Only this function distinguishes the kinds of steps. */
export function resolveOp(step: Step, env: OpEnvironment): Op<ResultId> {
  return makeOp(step.op, { ...env, step });
}

function makeOp<Kind extends StepOp['kind']>(op: Extract<StepOp, { kind: Kind }>, context: StepContext): Op<ResultId> {
  const kind: Kind = op.kind as Kind;
  return makers[kind](op, context);
}
