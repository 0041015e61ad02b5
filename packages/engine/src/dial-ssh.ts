import { Duplex, PassThrough } from 'node:stream';
import { put, type Programs, requireSuccess } from './program-output.ts';

/** Opens a connection through ssh: what is written goes to the program, and what it prints can be read. */
export function dialSsh(args: readonly string[], { run, cwd }: Programs, signal: AbortSignal): Duplex {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const hungUp = new AbortController();
  const duplex = Duplex.from({ writable: input, readable: output });
  duplex.once('close', () => hungUp.abort());
  run(args, {
    cwd,
    input,
    output: (bytes) => put(bytes, output),
    signal: AbortSignal.any([signal, hungUp.signal]),
  })
    .then((result) => {
      requireSuccess(args, result);
      output.end();
    })
    .catch((error: unknown) => duplex.destroy(error instanceof Error ? error : new Error(String(error))));
  return duplex;
}
