import { TbuildError } from '@tbuild/errors';
import type { StepEnd } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import { isFull, type StoreLayout } from '@tbuild/store';
import { explainExit, type FailedProcess } from './explain-exit.ts';
import { maskText } from './mask-secrets.ts';
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
  const { exitCode, notExecuted, reachedMemoryLimit } = end;
  const { store, secrets, memory, singleId, ...remains } = facts;
  const killed = reachedMemoryLimit ? `, killed: it exceeded the memory limit of ${inMegabytes(memory)}` : '';
  const hint = reachedMemoryLimit
    ? 'Raise the limit with --resource memory=SIZE'
    : isFull(store)
      ? `Free some space, for example with tbuild prune: none is left on the file system of the store ${JSON.stringify(store.root)}`
      : (explainRefusedId(remains.tail, singleId) ?? explainExit({ op, exitCode, notExecuted, ...remains }));
  return new TbuildError(
    'PROCESS_FAILED',
    `process "${maskText(op.args.join(' '), secrets)}" did not complete successfully: exit code: ${exitCode}${killed}`,
    { hint: hint === undefined ? undefined : maskText(hint, secrets) },
  );
}

/** Returns the log line of a step that continued after one of its processes was killed. */
export function memoryNote({ memory }: EndFacts): Uint8Array {
  return Buffer.from(`A process in this step was killed: it exceeded the memory limit of ${inMegabytes(memory)}\n`);
}

function inMegabytes(bytes = 0): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
