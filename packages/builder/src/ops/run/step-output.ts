import type { ProcessIO } from '@tbuild/executor';
import type { StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import { createSecretMask } from './mask-secrets.ts';

/** Shows a step's output with secrets masked. Disposing shows what was held back. */
export function openStepOutput(
  step: StepId,
  secrets: readonly Uint8Array[],
  progress: Progress,
): ProcessIO & Disposable {
  const open = (stream: 'stdout' | 'stderr'): { write(data: Uint8Array): void; end(): void } => {
    const mask = createSecretMask(secrets);
    const show = (data: Uint8Array): void => {
      if (data.length > 0) progress.emit({ type: 'log', step, stream, data });
    };
    return { write: (data) => show(mask.write(data)), end: () => show(mask.end()) };
  };
  const [out, err] = [open('stdout'), open('stderr')];
  return {
    stdout: (data) => out.write(data),
    stderr: (data) => err.write(data),
    [Symbol.dispose]() {
      out.end();
      err.end();
    },
  };
}
