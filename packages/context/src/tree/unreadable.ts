import { getSystemErrorMap } from 'node:util';
import { errnoName, TbuildError } from '@tbuild/errors';

/** Returns the error for a file or directory that the system does not let us read. */
export function unreadable(what: string, cause: unknown): TbuildError {
  const number: unknown = cause instanceof Error && 'errno' in cause ? cause.errno : undefined;
  const reason = typeof number === 'number' ? getSystemErrorMap().get(number)?.[1] : undefined;
  const isRefused = ['EACCES', 'EPERM'].includes(errnoName(cause) ?? '');
  return new TbuildError('CONTEXT', `Cannot read ${what}${reason === undefined ? '' : `: ${reason}`}`, {
    hint: isRefused
      ? 'Make it readable with chmod or chown, or add it to .dockerignore if the build does not need it'
      : undefined,
    cause,
  });
}
