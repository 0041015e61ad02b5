import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { messageOf } from '@tbuild/errors';
import type { ProgressEvent } from '@tbuild/progress';
import { BuildError, receivedError } from './build-error.ts';
import { decodeFrames, encodeFrame } from './frames.ts';
import { ANSWERS, CALL_FLAG, type ProgramCall, type ProgramMessage } from './messages.ts';

/** How to call the program, and where the images are. */
export interface StoreOptions {
  /** The store's directory. Defaults to the one that the command line uses. */
  readonly root?: string;
  /** Cancels like Ctrl-C: the call fails with CANCELLED as soon as nothing of it runs any more. */
  readonly signal?: AbortSignal;
  /** The environment of the program, such as PATH, HOME and proxies. Defaults to that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The path of the program. Defaults to that of the package `@tbuild/cli`. */
  readonly program?: string;
}

type Answer = Exclude<ProgramMessage, { readonly type: 'event' }>;

/** Receives every event in order. The program waits for a promise that it returns. */
export type OnEvent = (event: ProgressEvent) => unknown;

/** Calls the program with plain data: the argument and all options but those for this side. */
export function ask(
  name: string,
  what: object,
  { onEvent = () => {}, signal, env, program, ...settings }: StoreOptions & { readonly onEvent?: OnEvent } = {},
): Promise<unknown> {
  return callProgram({ name, argument: { ...what, ...settings } }, { signal, env, program }, onEvent);
}

/**
 * Starts the program, which enters namespaces that a running process cannot enter, and returns its answer. When this
 * process ends, the program cancels the call.
 * @throws BuildError with the program's answer; USAGE for an argument that is not plain data, NOT_FOUND without a
 * program, CANCELLED, PROCESS_FAILED when it ends without an answer.
 */
async function callProgram(call: ProgramCall, options: Omit<StoreOptions, 'root'>, onEvent: OnEvent): Promise<unknown> {
  const { signal } = options;
  const frame = frameOf(call);
  if (hasAborted(signal)) throw cancelled(signal);
  const child = spawn(options.program ?? findProgram(), [CALL_FLAG, process.execPath], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: options.env,
    // A Ctrl-C goes to the caller alone, who may then abort.
    detached: true,
  });
  const { stdin, stderr, stdio } = child;
  const answers = stdio[ANSWERS];
  if (child.pid === undefined || stdin === null || stderr === null || !(answers instanceof Readable))
    throw notStarted(child.spawnfile, await once(child, 'error'));
  using _aborting = onAbort(signal, () => child.kill());
  const ending = once(child, 'exit');
  const said = lastOf(stderr);
  // The program may end without reading its input.
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
    throw new BuildError('USAGE', `The arguments of a call to tbuild must be plain data: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function hasAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return signal?.aborted === true;
}

function cancelled({ reason }: AbortSignal): BuildError {
  return new BuildError('CANCELLED', 'Build was cancelled', { cause: reason });
}

/** Finds the program in the package that this one depends on, else on the PATH. */
function findProgram(): string {
  const { resolve } = createRequire(import.meta.url);
  // Published under the first name; the other is that of its folder in this repository.
  for (const name of ['@tbuild/cli', 'tbuild']) {
    try {
      return join(resolve(`${name}/package.json`), '../bin/tbuild');
    } catch {
      // Not installed under this name.
    }
  }
  return 'tbuild';
}

function notStarted(program: string, [cause]: readonly unknown[]): BuildError {
  const message = `Cannot start the program ${JSON.stringify(program)}`;
  return new BuildError('NOT_FOUND', message, {
    cause,
    hint: 'Install the package @tbuild/cli, or set the option "program"',
  });
}

function withoutAnswer({ exitCode, signalCode }: ChildProcess, said: string): BuildError {
  const how = signalCode === null ? `ended with exit code ${exitCode}` : `was killed by ${signalCode}`;
  const last = said === '' ? undefined : `Its last output: ${said}`;
  return new BuildError('PROCESS_FAILED', `tbuild ${how} before it answered`, { hint: last });
}

/** Runs a function when the signal aborts, until disposed. */
function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  signal?.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', act) };
}

/** Reads the program's answer to its end. After an abort `onEvent` is no longer called. */
async function readAnswer(
  source: Readable,
  onEvent: OnEvent,
  signal: AbortSignal | undefined,
): Promise<Answer | undefined> {
  for await (const frame of decodeFrames(source)) {
    const message = frame as ProgramMessage;
    if (message.type !== 'event') return message;
    if (hasAborted(signal)) continue;
    const handled = onEvent(message.event);
    if (handled instanceof Promise) await untilAbort(handled, signal);
  }
  return undefined;
}

/** Waits for a promise, but not beyond an abort. */
function untilAbort(handled: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborting = onAbort(signal, () => resolve(undefined));
    handled.then(resolve, reject).finally(() => aborting[Symbol.dispose]());
  });
}

const KEPT = 4096;

/** Returns the end of a stream's text. */
function lastOf(source: Readable): () => string {
  let text = '';
  source.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-KEPT)));
  return () => text.trim();
}
