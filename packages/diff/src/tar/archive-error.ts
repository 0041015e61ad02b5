import { TbuildError } from '@tbuild/errors';

/** Returns the error for an archive that cannot or must not be unpacked. */
export function archiveError(message: string, cause?: unknown): TbuildError {
  return new TbuildError('SNAPSHOT', message, { cause });
}

/** Returns the message of an error as the reason at the end of another message. */
export function reasonOf({ message }: Error): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
