import { isatty } from 'node:tty';
import { TbuildError } from '@tbuild/errors';
import { goBool } from '@tbuild/oci';
import type { Environment } from '../config/environment.ts';
import { choiceOf } from '../flags/choice.ts';

/** What happens when a step fails: a question, a shell, or nothing. */
export type OnError = 'ask' | 'shell' | 'exit';

/**
 * Returns what `--on-error` chooses. Without it, a terminal is asked, but no job of a CI system.
 * @throws TbuildError USAGE
 */
export function onErrorOf(given: string | undefined, { stdout, stderr, variables }: Environment): OnError {
  // Node's stream of standard input begins to read when it is made, and the input may be the Dockerfile.
  const isTerminal = isatty(0) && stdout.isTTY === true && stderr.isTTY === true;
  const chosen = choiceOf(
    given ?? (isTerminal && !isCi(variables) ? 'ask' : 'exit'),
    ['ask', 'shell', 'exit'],
    '--on-error',
  );
  if (chosen !== 'exit' && !isTerminal)
    throw new TbuildError('USAGE', `--on-error ${chosen} needs a terminal`, {
      hint: 'To get files of a failed step, use -o type=local,dest=DIR,from=PATH,when=failure',
    });
  return chosen;
}

/** CI systems set CI to "true", or to anything else. */
function isCi({ CI = '' }: Environment['variables']): boolean {
  return CI !== '' && goBool(CI) !== false;
}
