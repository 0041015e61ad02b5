import { statfsSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import type { StepEnd } from '@tbuild/executor';
import type { RunOp } from '@tbuild/graph';
import type { StoreLayout } from '@tbuild/store';
import { maskText } from './mask-secrets.ts';

/** Facts that explain why a step failed. */
export interface EndFacts {
  readonly store: Pick<StoreLayout, 'root'>;
  readonly secrets: readonly Uint8Array[];
  /** The step's memory limit in bytes. */
  readonly memory?: number;
}

/** In bytes. With less free space in the store, a failing step probably ran out of space. */
const LITTLE_SPACE = 1024 * 1024;

/** Returns the error of a RUN whose process exited with a code other than 0. */
export function exited(
  { args }: RunOp,
  { exitCode, notExecuted, reachedMemoryLimit }: StepEnd,
  facts: EndFacts,
): TbuildError {
  const { store, secrets, memory } = facts;
  const { bavail, bsize } = statfsSync(store.root);
  const killed = reachedMemoryLimit ? `, killed: it exceeded the memory limit of ${inMegabytes(memory)}` : '';
  const hints = [
    ...(notExecuted === undefined ? [] : [startHint(notExecuted, args)]),
    ...(reachedMemoryLimit ? ['Raise the limit with --resource memory=SIZE'] : []),
    ...(bavail * bsize < LITTLE_SPACE
      ? [`Free some space: none is left on the file system of the store ${JSON.stringify(store.root)}`]
      : []),
  ];
  return new TbuildError(
    'PROCESS_FAILED',
    `process "${maskText(args.join(' '), secrets)}" did not complete successfully: exit code: ${exitCode}${killed}`,
    { hint: hints[0] },
  );
}

/** Returns advice for a program that could not be executed. */
function startHint(reason: string, [program = '']: readonly string[]): string {
  const name = JSON.stringify(program);
  if (reason.endsWith('permission denied')) return `Make ${name} executable, for example with COPY --chmod=755`;
  if (reason.endsWith('exec format error')) return `Check that ${name} is for this architecture, or a script with #!`;
  if (program === '/bin/sh') return 'Start from an image with a shell, or write RUN ["program", "argument"]';
  return `Install ${name} in an earlier step; a script also needs the interpreter that its #! names`;
}

/** Returns the log line of a step that continued after one of its processes was killed. */
export function memoryNote({ memory }: EndFacts): Uint8Array {
  return Buffer.from(`A process in this step was killed: it exceeded the memory limit of ${inMegabytes(memory)}\n`);
}

function inMegabytes(bytes = 0): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
