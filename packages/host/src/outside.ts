import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { abortable } from '@tbuild/concurrency';
import { errnoName, TbuildError } from '@tbuild/errors';
import { FileType, mknod, shellQuoted } from '@tbuild/linux';

export interface OutsideOptions {
  readonly cwd: string;
  /** The program's standard input; empty when absent. */
  readonly input?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Receives the standard output as it comes, which then is not in the result. The program waits for the promise. */
  readonly output?: (bytes: Uint8Array) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

export interface OutsideResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Runs the user's own programs (git, ssh, credential helpers, docker, podman) as the user's shell would. */
export interface Outside {
  /**
   * Runs a program to its end; a non-zero exit is a result.
   *
   * @throws TbuildError NOT_FOUND when the program cannot be started, CANCELLED on abort.
   */
  run(args: readonly string[], options: OutsideOptions): Promise<OutsideResult>;
}

export interface OutsidePlace {
  /** The descriptor that the launcher left for requests; absent outside of a user namespace. */
  readonly descriptor?: number;
  /** A directory for the pipes of a request. */
  readonly directory: string;
}

/**
 * Starts programs directly or, inside the launcher's user namespace, through the process that the launcher left outside of
 * it. The launcher describes the protocol.
 */
export function createOutside({ descriptor, directory }: OutsidePlace): Outside {
  if (descriptor === undefined) return { run: runDirectly };
  return { run: (args, options) => runByRequest(args, options, { descriptor, directory }) };
}

async function runDirectly(
  args: readonly string[],
  { cwd, input, output, signal }: OutsideOptions,
): Promise<OutsideResult> {
  const [file = '', ...rest] = args;
  const child = spawn(file, rest, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const abort = (): void => void child.kill();
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  try {
    const all = Promise.all([
      once(child, 'close'),
      collect(child.stdout, output),
      collect(child.stderr),
      feed(child.stdin, input),
    ]);
    await Promise.race([all, once(child, 'exit')]);
    // What the program has started may hold its output.
    const [[code], stdout, stderr] = await abortable(all, signal);
    return { exitCode: code ?? 1, stdout, stderr };
  } catch (cause) {
    if (signal?.aborted) throw cancelled(file);
    throw notStarted(file, cause);
  } finally {
    signal?.removeEventListener('abort', abort);
    // A program that too few open files keep from starting has none.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }
}

async function runByRequest(
  args: readonly string[],
  { cwd, input, output, signal }: OutsideOptions,
  { descriptor, directory }: { descriptor: number; directory: string },
): Promise<OutsideResult> {
  const { createInterface } = await import('node:readline');
  const request = mkdtempSync(join(directory, 'outside-'));
  const readers: Socket[] = [];
  let program: number | undefined;
  const abort = (): void => kill(program);
  signal?.addEventListener('abort', abort);
  try {
    writeFileSync(join(request, 'command'), commandText(args, cwd));
    using stdin = openWriter(request, 'in');
    readers.push(openReader(request, 'out'), openReader(request, 'err'));
    const printed = Promise.all([collect(readers[0], output), collect(readers[1])]);
    // After a failure nobody waits for the output.
    printed.catch(() => {});
    const status = createInterface({ input: openReader(request, 'status') })[Symbol.asyncIterator]();
    ask(descriptor, request);
    program = Number((await status.next()).value);
    if (signal?.aborted) abort();
    const [ended] = await Promise.all([status.next(), feed(stdin.connect(), input)]);
    if (Number(ended.value) === COMMAND_NOT_FOUND) throw notStarted(args[0] ?? '');
    // What the program has started may hold its output.
    const [stdout, stderr] = await abortable(printed, signal);
    return { exitCode: Number(ended.value), stdout, stderr };
  } catch (error) {
    if (signal?.aborted) throw cancelled(args[0] ?? '');
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    for (const reader of readers) reader.destroy();
    rmSync(request, { recursive: true, force: true });
  }
}

/** The exit code of a shell that does not find the command. */
const COMMAND_NOT_FOUND = 127;

function notStarted(program: string, cause?: unknown): TbuildError {
  return new TbuildError('NOT_FOUND', `Program "${program}" cannot be started`, { cause });
}

/** The program gets the environment that tbuild itself was started with. */
function commandText(args: readonly string[], cwd: string): string {
  return `cd ${shellQuoted(cwd)} || exit 127\nexec ${args.map(shellQuoted).join(' ')}\n`;
}

/** Opens a pipe for reading before the other side is started, so that its end is not missed. */
function openReader(request: string, name: string): Socket {
  const path = join(request, name);
  mknod(path, FileType.fifo | 0o600, 0);
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

/**
 * Opens a pipe for writing. It stays open for both directions until the program has opened it for reading, and for writing
 * alone from then on, so that the end of the program is noticed.
 */
function openWriter(request: string, name: string): Disposable & { connect(): Writable | undefined } {
  const path = join(request, name);
  mknod(path, FileType.fifo | 0o600, 0);
  let held: number | undefined = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const release = (): void => {
    if (held !== undefined) closeSync(held);
    held = undefined;
  };
  const connect = (): Writable | undefined => {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      // The program has already ended, and nobody reads.
      if (errnoName(error) === 'ENXIO') return undefined;
      throw error;
    } finally {
      release();
    }
  };
  return { connect, [Symbol.dispose]: release };
}

function ask(descriptor: number, request: string): void {
  try {
    writeSync(descriptor, `${request}\n`);
  } catch (cause) {
    throw new TbuildError('UNSUPPORTED', 'The process that runs programs outside the user namespace is gone', {
      cause,
    });
  }
}

async function feed(to: Writable | undefined, input: OutsideOptions['input']): Promise<void> {
  if (to === undefined) return;
  try {
    await pipeline(Readable.from(input instanceof Uint8Array ? [input] : (input ?? [])), to);
  } catch (error) {
    // A program may end before it has read all of its input; its exit code says whether it failed.
    if (errnoName(error) !== 'EPIPE') throw error;
  }
}

async function collect(
  from: AsyncIterable<Uint8Array> | undefined,
  output?: OutsideOptions['output'],
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of from ?? []) await (output === undefined ? chunks.push(chunk) : output(chunk));
  return Buffer.concat(chunks);
}

function kill(program: number | undefined): void {
  if (program === undefined) return;
  try {
    process.kill(program, 'SIGTERM');
  } catch {
    // It has already ended.
  }
}

function cancelled(program: string): TbuildError {
  return new TbuildError('CANCELLED', `"${program}" was cancelled`);
}
