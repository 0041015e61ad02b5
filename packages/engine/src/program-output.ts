import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import { TbuildError } from '@tbuild/errors';
import type { Outside } from '@tbuild/host';

/** Starts the user's own programs. */
export interface Programs {
  readonly run: Outside['run'];
  readonly cwd: string;
}

/**
 * Runs a program and returns its output as it comes. A reader that stops ends the program.
 * @throws TbuildError PROCESS_FAILED when the program fails, NOT_FOUND when it cannot be started.
 */
export async function* programOutput(
  args: readonly string[],
  { run, cwd }: Programs,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = new AbortController();
  const pipe = new PassThrough();
  const ended = run(args, { cwd, signal: AbortSignal.any([signal, stop.signal]), output: (bytes) => put(bytes, pipe) })
    .then((result) => requireSuccess(args, result))
    .then(
      () => pipe.end(),
      (error: unknown) => pipe.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  try {
    // A stream of bytes gives nothing else.
    yield* pipe as AsyncIterable<Uint8Array>;
  } finally {
    stop.abort();
    pipe.destroy();
    await ended;
  }
}

/** Waits until a stream takes more, or is no longer read. */
export async function put(bytes: Uint8Array, to: Writable): Promise<void> {
  if (to.destroyed || to.write(bytes)) return;
  await Promise.race([once(to, 'drain'), once(to, 'close')]);
}

/** @throws TbuildError PROCESS_FAILED with what the program said. */
export function requireSuccess(
  args: readonly string[],
  { exitCode, stderr }: { readonly exitCode: number; readonly stderr: Uint8Array },
): void {
  if (exitCode === 0) return;
  const said = Buffer.from(stderr).toString('utf8').trim();
  throw new TbuildError('PROCESS_FAILED', `${args.slice(0, 2).join(' ')} exited with code ${exitCode}: ${said}`);
}
