import { fstatSync, writeSync } from 'node:fs';
import { ANSWERS, CALL_FLAG, decodeFrames, encodeFrame, type ProgramMessage } from '@tbuild/api/protocol';
import { errnoName, TbuildError } from '@tbuild/errors';
import { createChannel, type Progress } from '@tbuild/progress';
import type { Environment } from '../config/environment.ts';
import { buildCall, checkCall } from './build-call.ts';
import { CallFields, textOf } from './call-fields.ts';
import type { Call, CallRun } from './call.ts';
import { sentError } from './sent-error.ts';
import { diskUsageCall, imagesCall, pruneCall, removeImageCall } from './store-calls.ts';

const calls: Readonly<Record<string, Call>> = {
  build: buildCall,
  bake: async (...call) => (await import('./bake-call.ts')).bakeCall(...call),
  check: checkCall,
  images: imagesCall,
  removeImage: removeImageCall,
  prune: pruneCall,
  diskUsage: diskUsageCall,
};

/**
 * Reads a call from standard input, runs it, and answers on {@link ANSWERS}. Standard input stays open while the caller
 * waits for the answer.
 */
export async function serve(env: Environment): Promise<number> {
  if (!fstatSync(ANSWERS).isSocket())
    throw new TbuildError('USAGE', `${CALL_FLAG} is for programs only`, {
      hint: 'Use the package @tbuild/api',
    });
  const frames = decodeFrames(env.stdin);
  const { value: asked } = await frames.next();
  let isWanted = true;
  const left = frames.next().then(() => {
    // Cancels and cleans up as after Ctrl-C.
    if (isWanted) process.kill(process.pid, 'SIGTERM');
  });
  const channel = createChannel();
  const sent = (async () => {
    for await (const event of channel) send({ type: 'event', event });
  })();
  const message = await answer(asked, env, channel);
  channel.close();
  await sent;
  isWanted = false;
  send(message);
  await left;
  return message.type === 'result' ? 0 : 1;
}

async function answer(asked: unknown, env: Environment, progress: Progress): Promise<ProgramMessage> {
  const definitions = new Map<string, string>();
  try {
    const fields = new CallFields<'name' | 'argument'>(asked);
    const name = textOf(fields.take('name'), 'name');
    const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
    if (call === undefined) throw new TbuildError('USAGE', `Unknown API call ${JSON.stringify(name)}`);
    const onDefinition: CallRun['onDefinition'] = ({ name: file, text }) => void definitions.set(file, text);
    return { type: 'result', result: await call(fields.take('argument'), env, { progress, onDefinition }) };
  } catch (error) {
    return { type: 'error', error: await sentError(error, (file) => definitions.get(file)) };
  }
}

/**
 * Writes a message. Blocks while the caller does not read, so that steps stop too and their output stays in pipes
 * instead of filling the memory.
 */
function send(message: ProgramMessage): void {
  const frame = encodeFrame(message);
  try {
    for (let done = 0; done < frame.length;) done += writeSync(ANSWERS, frame, done);
  } catch (error) {
    // The caller has gone; standard input reports that too.
    if (errnoName(error) !== 'EPIPE' && errnoName(error) !== 'ECONNRESET') throw error;
  }
}
