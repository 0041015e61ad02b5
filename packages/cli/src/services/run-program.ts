import { tmpdir } from 'node:os';
import { createOutside, type Outside } from '@tbuild/host';
import type { Environment } from '../config/environment.ts';

export interface RunProgramOptions {
  readonly input?: string | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** Opens the way to start the user's own programs: as the user, outside the launcher's user namespace. */
export function openOutside({ variables }: Environment): Outside {
  const descriptor = variables.TBUILD_OUTSIDE_FD;
  return createOutside({
    descriptor: descriptor === undefined ? undefined : Number(descriptor),
    directory: tmpdir(),
  });
}

/**
 * Runs one of the user's own programs and collects its output (standard error after standard output).
 * @throws TbuildError NOT_FOUND when the program does not exist.
 */
export async function runProgram(
  args: readonly string[],
  { input, signal }: RunProgramOptions,
  env: Environment,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { exitCode, stdout, stderr } = await openOutside(env).run(args, {
    cwd: env.cwd,
    input: typeof input === 'string' ? Buffer.from(input) : input,
    signal,
  });
  return { exitCode, output: Buffer.concat([stdout, stderr]).toString('utf8') };
}
