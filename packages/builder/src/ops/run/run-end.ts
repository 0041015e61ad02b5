import { TbuildError } from '@tbuild/errors';
import type { StepEnd, StepMemory } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { isFull, type StoreLayout } from '@tbuild/store';
import { explainExit, type FailedProcess } from './explain-exit.ts';
import { inMegabytes } from './explain-kill.ts';
import { maskText } from './mask-secrets.ts';
import { nameExit } from './signals.ts';
import { explainRefusedId } from './single-id.ts';

/** Facts that explain why a step failed. */
export interface EndFacts {
  readonly store: Pick<StoreLayout, 'root'>;
  readonly secrets: readonly Uint8Array[];
  /** The step's memory limit in bytes. */
  readonly memory?: number;
  /** Why the step has only one id, and what would give it more. */
  readonly singleId?: string;
}

/** What a failed process left. */
export type Remains = Pick<FailedProcess, 'tail' | 'tree' | 'isIsolated'>;

/** Returns the error of a RUN whose process exited with a code other than 0. */
export function exited(op: RunOp, end: StepEnd, facts: EndFacts & Remains): TbuildError {
  const { memory, exitCode } = end;
  const { store, secrets, memory: limit, singleId, ...remains } = facts;
  const how = memory.reachedLimit
    ? `, killed: it exceeded the memory limit of ${inMegabytes(limit)}`
    : nameExit(exitCode);
  const hint = memory.reachedLimit
    ? raiseLimit(memory)
    : isFull(store)
      ? `Free some space, for example with tbuild prune: none is left on the file system of the store ${JSON.stringify(store.root)}, or in its quota`
      : (explainRefusedId(remains.tail, singleId) ?? explainExit({ op, ...end, ...remains }));
  return new TbuildError(
    'PROCESS_FAILED',
    `process "${maskText(op.args.join(' '), secrets)}" did not complete successfully: exit code: ${exitCode}${how}`,
    { hint: hint === undefined ? undefined : maskText(hint, secrets) },
  );
}

function raiseLimit({ peak, largestProcess }: StepMemory): string {
  const raise = 'Raise the limit with --resource memory=SIZE';
  if (peak !== undefined) return `${raise}: the step used ${inMegabytes(peak)} at its peak`;
  return largestProcess === undefined ? raise : `${raise}: its largest process used ${inMegabytes(largestProcess)}`;
}

/** Returns the log line of a step that continued after one of its processes was killed. */
export function memoryNote({ memory }: EndFacts): Uint8Array {
  return Buffer.from(`A process in this step was killed: it exceeded the memory limit of ${inMegabytes(memory)}\n`);
}
