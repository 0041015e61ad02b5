import { TbuildError } from '@tbuild/errors';

/** Returns the error for an archive that cannot or must not be unpacked. */
export function archiveError(message: string, cause?: unknown): TbuildError {
  return new TbuildError('SNAPSHOT', message, { cause });
}
