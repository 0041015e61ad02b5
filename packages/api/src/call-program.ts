import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ProgressEvent } from '@tbuild/progress';
import { BuildError, receivedError } from './build-error.ts';
import { decodeFrames, encodeFrame } from './frames.ts';
import { ANSWERS, CALL_FLAG, type ProgramCall, type ProgramMessage } from './messages.ts';

/** How the program is called, and where images are. */
export interface StoreOptions {
  /** The store's directory; that of the command line unless given. */
  readonly root?: string;
  /** Cancels, as Ctrl-C does: the call fails with CANCELLED as soon as nothing of it is left. */
  readonly signal?: AbortSignal;
  /** The environment of the program, such as PATH, HOME and proxies; that of this process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The program `tbuild`; that of the package `tbuild` unless given. */
  readonly program?: string;
}

type Answer = Exclude<ProgramMessage, { readonly type: 'event' }>;

/** Is told of everything that happens; the program waits for a promise that it gives. */
export type OnEvent = (event: ProgressEvent) => unknown;

/** Calls the program with plain data: what is asked for, and all options but those that are for this side. */
export function ask(
  name: string,
  what: object,
  { onEvent = () => {}, signal, env, program, ...settings }: StoreOptions & { readonly onEvent?: OnEvent } = {},
): Promise<unknown> {
  return callProgram({ name, argument: { ...what, ...settings } }, { signal, env, program }, onEvent);
}

/**
 * Starts the program, which enters namespaces that a running process cannot enter, and gives its answer. When this
 * process ends, the program cancels what it does.
 * @throws BuildError what the program answers; USAGE for what is no data, NOT_FOUND without a program, CANCELLED,
 * PROCESS_FAILED when it ends without an answer.
 */
async function callProgram(call: ProgramCall, options: Omit<StoreOptions, 'root'>, onEvent: OnEvent): Promise<unknown> {
  const { signal } = options;
  const frame = frameOf(call);
  if (hasAborted(signal)) throw cancelled(signal);
  const child = spawn(options.program ?? findProgram(), [CALL_FLAG, process.execPath], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: options.env,
    // A Ctrl-C is for the caller alone, who may then abort.
    detached: true,
  });
  const { stdin, stderr, stdio } = child;
  const answers = stdio[ANSWERS];
  if (child.pid === undefined || stdin === null || stderr === null || !(answers instanceof Readable))
    throw notStarted(child.spawnfile, await once(child, 'error'));
  using _aborting = onAbort(signal, () => child.kill());
  const ending = once(child, 'exit');
  const said = lastOf(stderr);
  // It may end without having read what it was asked.
  stdin.on('error', () => {});
  stdin.write(frame);
  let answer: Answer | undefined;
  try {
    answer = await readAnswer(answers, onEvent, signal);
  } finally {
    stdin.end();
    await ending;
  }
  if (answer?.type === 'result') return answer.result;
  if (hasAborted(signal)) throw cancelled(signal);
  throw answer === undefined ? withoutAnswer(child, said()) : receivedError(answer.error);
}

function frameOf(call: ProgramCall): Buffer {
  try {
    return encodeFrame(call);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BuildError('USAGE', `What is asked of tbuild is not plain data: ${reason}`, { cause });
  }
}

function hasAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true;
}

function cancelled({ reason }: AbortSignal): BuildError {
  return new BuildError('CANCELLED', 'Build was cancelled', { cause: reason });
}

/** The program belongs to the package that this one depends on; where that cannot be found, it may be on the PATH. */
function findProgram(): string {
  try {
    return join(createRequire(import.meta.url).resolve('tbuild/package.json'), '../bin/tbuild');
  } catch {
    return 'tbuild';
  }
}

function notStarted(program: string, [cause]: readonly unknown[]): BuildError {
  const message = `The program ${JSON.stringify(program)} cannot be started`;
  return new BuildError('NOT_FOUND', message, { cause, hint: 'Install the package tbuild, or name the program' });
}

function withoutAnswer({ exitCode, signalCode }: ChildProcess, said: string): BuildError {
  const how = signalCode === null ? `ended with exit code ${exitCode}` : `was killed by ${signalCode}`;
  const last = said === '' ? undefined : `It said last: ${said}`;
  return new BuildError('PROCESS_FAILED', `tbuild ${how} before it answered`, { hint: last });
}

/** Does something when the signal aborts, until disposed. */
function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  signal?.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', act) };
}

/** Reads to the end of what the program answers; after an abort nobody is told any more. */
async function readAnswer(
  source: Readable,
  onEvent: OnEvent,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  for await (const frame of decodeFrames(source)) {
    const message = frame as ProgramMessage;
    if (message.type !== 'event') return message;
    if (hasAborted(signal)) continue;
    const told = onEvent(message.event);
    if (told instanceof Promise) await untilAbort(told, signal);
  }
  return undefined;
}

/** Waits for a promise, but not after an abort. */
function untilAbort(told: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborting = onAbort(signal, () => resolve(undefined));
    told.then(resolve, reject).finally(() => aborting[Symbol.dispose]());
  });
}

const KEPT = 4096;

/** The end of what a stream said. */
function lastOf(source: Readable): () => string {
  let text = '';
  source.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-KEPT)));
  return () => text.trim();
}
