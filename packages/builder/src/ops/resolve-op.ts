import type { ResultId, Step, StepOp } from '@tbuild/graph';
import type { Op } from '@tbuild/solver';
import { checkedFetch } from '../source-policy/check-source.ts';
import type { SourcePolicy } from '../source-policy/source-policy.ts';
import { copyOp, type CopyPorts } from './copy/copy.ts';
import { fetchStep, type FetchStepPorts } from './fetch/fetch-step.ts';
import { gitOp, type GitPorts } from './fetch/git.ts';
import { httpOp, type HttpPorts } from './fetch/http.ts';
import { imageOp, type ImagePorts } from './image/image.ts';
import { mkdirOp, type MkdirPorts } from './mkdir/mkdir.ts';
import { runOp, type RunPorts } from './run/run.ts';
import { stackOp, type StackPorts } from './stack/stack.ts';

/** The ports of all ops. Each op names those that it uses. */
export type OpPorts = ImagePorts &
  RunPorts &
  CopyPorts &
  MkdirPorts &
  StackPorts &
  HttpPorts &
  GitPorts &
  FetchStepPorts & {
    /** Which files and repositories may be read, and from where. */
    readonly sourcePolicy: SourcePolicy;
  };

type Makers = {
  readonly [Kind in StepOp['kind']]: (op: Extract<StepOp, { kind: Kind }>, step: Step, ports: OpPorts) => Op<ResultId>;
};

const makers: Makers = {
  image: imageOp,
  run: runOp,
  copy: copyOp,
  mkdir: mkdirOp,
  stack: (_op, _step, ports) => stackOp(ports),
  http: (op, step, ports) => httpOp(checkedFetch(ports.sourcePolicy, op), fetchStep({ step, op }, ports), ports),
  git: (op, step, ports) => gitOp(checkedFetch(ports.sourcePolicy, op), fetchStep({ step, op }, ports), ports),
};

/** Returns the op of a step. Only this function distinguishes the kinds of steps. */
export function resolveOp(step: Step, ports: OpPorts): Op<ResultId> {
  return makeOp(step.op, step, ports);
}

function makeOp<Kind extends StepOp['kind']>(
  op: Extract<StepOp, { kind: Kind }>,
  step: Step,
  ports: OpPorts,
): Op<ResultId> {
  const kind: Kind = op.kind as Kind;
  return makers[kind](op, step, ports);
}
