import { statfsSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { StepEnd } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import type { StoreLayout } from '@tbuild/store';
import { maskText } from './mask-secrets.ts';

/** What else says why a step failed. */
export interface EndFacts {
  readonly store: Pick<StoreLayout, 'root'>;
  readonly secrets: readonly Uint8Array[];
  /** The step's memory limit in bytes. */
  readonly memory?: number;
}

/** With less than this left in the store, a failing step may well have failed for that. Bytes. */
const LITTLE_SPACE = 1024 * 1024;

/** The error of a RUN whose process ended with another code than 0. */
export function exited({ args }: RunOp, { exitCode, reachedMemoryLimit }: StepEnd, facts: EndFacts): TbuildError {
  const { store, secrets, memory } = facts;
  const { bavail, bsize } = statfsSync(store.root);
  const killed = reachedMemoryLimit ? `, killed at its memory limit of ${inMegabytes(memory)}` : '';
  const hints = [
    ...(reachedMemoryLimit ? ['Give it more with --resource memory=SIZE'] : []),
    ...(bavail * bsize < LITTLE_SPACE
      ? [`There is no space left on the file system of the store ${JSON.stringify(store.root)}`]
      : []),
  ];
  return new TbuildError(
    'PROCESS_FAILED',
    `process "${maskText(args.join(' '), secrets)}" did not complete successfully: exit code: ${exitCode}${killed}`,
    { hint: hints[0] },
  );
}

/** What a step's log says when it went on without a process that was killed. */
export function memoryNote({ memory }: EndFacts): Uint8Array {
  return Buffer.from(`A process of this step was killed at its memory limit of ${inMegabytes(memory)}\n`);
}

function inMegabytes(bytes = 0): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
