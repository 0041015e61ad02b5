import { TbuildError } from '@tbuild/errors';
import type { Environment } from '../../config/environment.ts';
import { agrees } from '../../services/ask.ts';

/**
 * Asks whether to remove something, and returns the answer. Says so if nothing is removed.
 * @throws TbuildError USAGE without a terminal.
 */
export async function confirmed(what: string, env: Pick<Environment, 'stdin' | 'stderr'>): Promise<boolean> {
  if (!env.stdin.isTTY)
    throw new TbuildError('USAGE', 'Cannot ask for confirmation: there is no terminal', {
      hint: 'Use --force to remove without asking',
    });
  if (await agrees(`This will remove ${what}. Are you sure you want to continue?`, env)) return true;
  env.stderr.write('Nothing was removed\n');
  return false;
}
