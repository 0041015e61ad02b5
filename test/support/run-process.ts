import { spawn, type ChildProcess } from 'node:child_process';
import { homedir } from 'node:os';

export interface ProcessResult {
  /** The exit code; 128 + n after signal n, as a shell reports it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to a minimal environment; the caller's own is not passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Called with the child as soon as it runs, to signal it or to read its output. */
  readonly onStart?: (child: ChildProcess) => void;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program to its end and collects what it prints; any exit code is a result. */
export function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? '/',
      env: { ...minimalEnvironment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
    // A program that does not read its input does not fail the test.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        exitCode: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0),
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString(),
      });
    });
    options.onStart?.(child);
  });
}

/** Like `runProcess`, but returns stdout, and throws with the whole output unless the program exits with 0. */
export async function runChecked(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess(program, args, options);
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${exitCode}\n${stdout}\n${stderr}`);
  return stdout;
}

function minimalEnvironment(): Record<string, string> {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const node = process.env['TBUILD_NODE'];
  return {
    PATH: `${path}:${process.env['PATH'] ?? ''}`,
    HOME: homedir(),
    LANG: 'C.UTF-8',
    ...(node === undefined ? {} : { TBUILD_NODE: node }),
  };
}
