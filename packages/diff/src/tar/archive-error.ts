import { TbuildError } from '@tbuild/errors';

/** An archive that cannot or must not be unpacked. */
export function archiveError(message: string, cause?: unknown): TbuildError {
  return new TbuildError('SNAPSHOT', message, { cause });
}
