import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { TbuildError } from '@tbuild/errors';

export interface RunProgramOptions {
  readonly input?: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/**
 * Runs one of the user's own programs and collects what it prints (standard error after standard output).
 * @throws TbuildError NOT_FOUND when there is no such program.
 */
export async function runProgram(
  [program = '', ...args]: readonly string[],
  { input, signal }: RunProgramOptions,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(program, args, { signal, stdio: ['pipe', 'pipe', 'pipe'] });
  const [out, err]: [Uint8Array[], Uint8Array[]] = [[], []];
  child.stdout.on('data', (chunk: Uint8Array) => out.push(chunk));
  child.stderr.on('data', (chunk: Uint8Array) => err.push(chunk));
  const exited = new Promise<number>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new TbuildError('NOT_FOUND', `Program ${JSON.stringify(program)} cannot be started`, { cause })),
    );
    child.on('close', (code) => resolve(code ?? 1));
  });
  // A program that ends before it has read everything has said why on its standard error.
  const fed = input === undefined ? child.stdin.end() : pipeline(input, child.stdin).catch(() => {});
  const exitCode = await exited;
  await fed;
  return { exitCode, output: Buffer.concat([...out, ...err]).toString('utf8') };
}
