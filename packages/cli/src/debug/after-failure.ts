import type { Services } from '@tbuild/builder';
import { buildId, findBuild, findRecord } from '@tbuild/builds';
import type { Environment } from '../config/environment.ts';
import { createServices } from '../services/create-services.ts';
import { interruptible } from '../services/interruptible.ts';
import type { OnError } from './on-error.ts';

/** A build that failed. */
export interface FailedBuild {
  readonly ref: string;
  readonly root: string;
  readSecret(id: string): Buffer | undefined;
}

/** Asks or opens a shell after a step failed. Returns whether to build again. */
export async function wantsRetry(failed: FailedBuild, onError: OnError, env: Environment): Promise<boolean> {
  if (onError === 'exit') return false;
  const services = createServices({ root: failed.root }, env);
  try {
    if (findRecord(services.store, buildId(failed.ref))?.failed === undefined) return false;
    if (onError === 'shell') return await shellIn(failed, services, env);
    return await ask(failed, services, env);
  } finally {
    await services.close();
  }
}

async function shellIn({ ref, readSecret }: FailedBuild, services: Services, env: Environment): Promise<boolean> {
  const { openShell, RETRY } = await import('./open-shell.ts');
  const note = ', "retry" builds again';
  const options = { build: ref, note, before: false, readSecret };
  const code = await interruptible((signal) => openShell({ ...options, signal }, services, env));
  return code === RETRY;
}

async function ask(failed: FailedBuild, services: Services, env: Environment): Promise<boolean> {
  for (;;) {
    const key = await answerTo('The step failed: [s]hell  [r]etry  [l]og  [q]uit ', env);
    env.stderr.write(`${/^[\w]$/.test(key) ? key : ''}\n`);
    if (key === 'r') return true;
    if (key === 'q' || key === '\u0003' || key === '\u0004' || key === '\u001B' || key === '') return false;
    if (key === 'l') await showLog(failed, services, env);
    if (key === 's' && (await shellIn(failed, services, env))) return true;
  }
}

/** Asks, and returns the next key, or nothing when the terminal is gone. */
async function answerTo(question: string, { stdin, stderr }: Environment): Promise<string> {
  // Before anybody can answer: Ctrl-C is an answer too.
  stdin.setRawMode?.(true);
  stderr.write(question);
  stdin.resume();
  const key = await new Promise<string>((resolve) => {
    const onKey = (keys: Uint8Array): void => settle(Buffer.from(keys).toString().slice(0, 1));
    const onEnd = (): void => settle('');
    const settle = (text: string): void => {
      stdin.off('data', onKey);
      stdin.off('end', onEnd);
      resolve(text);
    };
    stdin.on('data', onKey);
    stdin.on('end', onEnd);
  });
  stdin.pause();
  stdin.setRawMode?.(false);
  return key;
}

async function showLog({ ref }: FailedBuild, { store }: Services, env: Environment): Promise<void> {
  const { printLog } = await import('../commands/builds/logs.ts');
  await printLog(findBuild(store, ref), 'plain', { store, out: env.stderr });
}
