import { join, resolve } from 'node:path';
import { TbuildError } from '@tbuild/errors';
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
