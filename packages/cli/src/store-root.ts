import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoName, TbuildError } from '@tbuild/errors';
import type { Environment } from './environment.ts';

/** The store's directory: `--root`, `TBUILD_ROOT`, else `/var/lib/tbuild` for root and the user's data directory. */
export function storeRoot(option: string | undefined, { variables, cwd, uid }: Environment): string {
  const named = option ?? variables.TBUILD_ROOT;
  if (named !== undefined && named !== '') return resolve(cwd, named);
  if (uid === 0) return '/var/lib/tbuild';
  const data =
    variables.XDG_DATA_HOME ?? (variables.HOME === undefined ? undefined : join(variables.HOME, '.local/share'));
  if (data !== undefined) return resolve(cwd, data, 'tbuild');
  throw new TbuildError('USAGE', 'There is no place for the store: neither HOME nor XDG_DATA_HOME is set', {
    hint: 'Name one with --root DIR',
  });
}

/**
 * Makes the store's directory where it is missing.
 * @throws TbuildError USAGE where it cannot be made, as in a container with a read-only root or a user without a home.
 */
export function makeStore(root: string): void {
  try {
    mkdirSync(root, { recursive: true });
  } catch (cause) {
    throw new TbuildError(
      'USAGE',
      `The store ${JSON.stringify(root)} cannot be made (${errnoName(cause) ?? 'error'})`,
      {
        hint: 'Name a directory that you may write to, with --root DIR or TBUILD_ROOT=DIR',
        cause,
      },
    );
  }
}
