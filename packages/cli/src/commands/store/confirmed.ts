import { TbuildError } from '@tbuild/errors';
import type { Environment } from '../../config/environment.ts';
import { ask } from '../../services/ask.ts';

/**
 * Asks whether to remove something, and returns the answer.
 * @throws TbuildError USAGE without a terminal.
 */
export async function confirmed(what: string, env: Pick<Environment, 'stdin' | 'stderr'>): Promise<boolean> {
  if (!env.stdin.isTTY)
    throw new TbuildError('USAGE', 'Cannot ask for confirmation: there is no terminal', {
      hint: 'Use --force to remove without asking',
    });
  const answer = await ask(`This will remove ${what}. Are you sure you want to continue? [y/N]`, env);
  return /^y(es)?$/i.test(answer);
}
