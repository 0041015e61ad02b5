import type { ProcessIO } from '@tbuild/executor';
import type { StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import { createSecretMask } from './mask-secrets.ts';

export interface StepOutputOptions {
  readonly secrets: readonly Uint8Array[];
  /** How many bytes to show. Defaults to all. */
  readonly most?: number;
  readonly progress: Progress;
}

/** A step's output. Disposing shows what was held back. */
export interface StepOutput extends ProcessIO, Disposable {
  /** Returns the end of all that the step printed, with secrets masked. */
  tail(): string;
  /** Shows the end of what was clipped, for a step that failed. */
  showTail(): void;
}

/** In bytes: what is kept of the end. */
const TAIL = 16 * 1024;

type Stream = 'stdout' | 'stderr';

/** Shows a step's output with secrets masked, up to a limit. */
export function openStepOutput(step: StepId, { secrets, most = Infinity, progress }: StepOutputOptions): StepOutput {
  const end = createTail();
  let shown = 0;
  let clipped: Stream | undefined;
  const emit = (stream: Stream, data: Uint8Array): void => progress.emit({ type: 'log', step, stream, data });
  const show = (stream: Stream, data: Uint8Array): void => {
    if (data.length === 0) return;
    end.add(data);
    const room = most - shown;
    shown += Math.min(room, data.length);
    if (clipped !== undefined) return;
    if (data.length <= room) return emit(stream, data);
    clipped = stream;
    emit(
      stream,
      Buffer.concat([data.subarray(0, room), Buffer.from(`\n[output clipped, log limit ${most} bytes reached]\n`)]),
    );
  };
  const open = (stream: Stream) => {
    const mask = createSecretMask(secrets);
    return { write: (data: Uint8Array) => show(stream, mask.write(data)), end: () => show(stream, mask.end()) };
  };
  const [out, err] = [open('stdout'), open('stderr')];
  return {
    stdout: (data) => out.write(data),
    stderr: (data) => err.write(data),
    tail: () => end.bytes().toString(),
    showTail() {
      if (clipped !== undefined) emit(clipped, Buffer.concat([Buffer.from('[the end of the output]\n'), end.bytes()]));
    },
    [Symbol.dispose]() {
      out.end();
      err.end();
    },
  };
}

/** Keeps the last bytes of a stream. A step can print a hundred megabytes, so chunks are only counted. */
function createTail(): { add(data: Uint8Array): void; bytes(): Buffer } {
  let chunks: Uint8Array[] = [];
  let size = 0;
  const join = (): Buffer => Buffer.concat(chunks).subarray(-TAIL);
  return {
    add(data) {
      // The caller may use its memory again.
      const kept = Buffer.from(data.subarray(-TAIL));
      chunks.push(kept);
      size += kept.length;
      if (size < 4 * TAIL) return;
      chunks = [Buffer.from(join())];
      size = chunks[0]?.length ?? 0;
    },
    bytes: join,
  };
}
