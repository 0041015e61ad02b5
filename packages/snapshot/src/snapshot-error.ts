import type { CooperativeTask } from '@tbuild/concurrency';
import { errnoName, TbuildError } from '@tbuild/errors';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EIO: 'input/output error',
  EMFILE: 'too many open files',
  ENOMEM: 'not enough memory',
  ENAMETOOLONG: 'the name is too long',
};

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on the disk of the store',
  EDQUOT: 'Raise the disk quota, or free space',
  EROFS: 'Choose a writable place for the store with --root',
  EINVAL: 'Check that /etc/subuid and /etc/subgid give this user the ids of all owners in the image',
  ENOTSUP: 'Choose a place for the store with --root whose file system has extended attributes',
  ENAMETOOLONG:
    'Shorten the path: Linux allows 4,095 bytes, including the path of the store, and 255 bytes in one name',
};

/**
 * Does file work. A system error becomes a TbuildError SNAPSHOT whose message begins "Could not" and the action. Most work
 * succeeds, and quoting the path of each of many files takes time.
 */
export function describeFailure<T>(action: () => string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refused(action, error);
  }
}

/** The same as {@link describeFailure}, for a cooperative task. */
export function* describeTaskFailure<T>(action: () => string, work: CooperativeTask<T>): CooperativeTask<T> {
  try {
    return yield* work;
  } catch (error) {
    throw refused(action, error);
  }
}

function refused(action: () => string, error: unknown): unknown {
  const name = error instanceof TbuildError ? undefined : errnoName(error);
  if (name === undefined) return error;
  const reason = REASONS[name] ?? name;
  return new TbuildError('SNAPSHOT', `Could not ${action()}: ${reason}`, { cause: error, hint: HINTS[name] });
}
