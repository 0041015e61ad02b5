import { buildId, findBuild, findRecord } from '@tbuild/builds';
import type { StoreLayout } from '@tbuild/store';
import type { Environment } from '../config/environment.ts';
import { interruptible } from '../services/interruptible.ts';
import type { OnError } from './on-error.ts';
import type { PlaceOptions } from './shell-place.ts';

/** A build in which a step failed. */
export interface FailedBuild extends Pick<PlaceOptions, 'secretsOf' | 'variablesOf'> {
  readonly ref: string;
  readonly store: StoreLayout;
}

/** Asks or opens a shell after a step failed. Returns whether to build again. */
export async function wantsRetry(failed: FailedBuild, onError: OnError, env: Environment): Promise<boolean> {
  if (onError === 'exit' || findRecord(failed.store, buildId(failed.ref))?.failed === undefined) return false;
  return onError === 'shell' ? shellIn(failed, env) : ask(failed, env);
}

async function shellIn({ ref, store, secretsOf, variablesOf }: FailedBuild, env: Environment): Promise<boolean> {
  const { openShell, RETRY } = await import('./open-shell.ts');
  const options = { build: ref, note: ', "retry" builds again', before: false, secretsOf, variablesOf };
  return (await interruptible((signal) => openShell({ ...options, signal }, store, env))) === RETRY;
}

async function ask(failed: FailedBuild, env: Environment): Promise<boolean> {
  for (;;) {
    const key = await answerTo('The step failed: [s]hell  [r]etry  [l]og  [q]uit ', env);
    env.stderr.write(`${/^[\w]$/.test(key) ? key : ''}\n`);
    if (key === 'r') return true;
    if (key === 'q' || key === '\u0003' || key === '\u0004' || key === '\u001B' || key === '') return false;
    if (key === 'l') await showLog(failed, env);
    if (key === 's' && (await shellIn(failed, env))) return true;
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

async function showLog({ ref, store }: FailedBuild, env: Environment): Promise<void> {
  const { printLog } = await import('../commands/builds/logs.ts');
  await printLog(findBuild(store, ref), 'plain', { store, out: env.stderr });
}
