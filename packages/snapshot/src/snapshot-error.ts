import type { CooperativeTask } from '@tbuild/concurrency';
import { errnoName, TbuildError } from '@tbuild/errors';

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EROFS: 'The file system is read-only',
  EINVAL: 'Perhaps an owner is outside of the ids that this user may use, which /etc/subuid and /etc/subgid say',
  ENOTSUP: 'Perhaps the file system of the store has no extended attributes: choose another place with --root',
  ENAMETOOLONG: 'The path is longer than the system takes',
};

/** Does file work; what the system refuses becomes a TbuildError SNAPSHOT that says what was being done. */
export function doing<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refused(action, error);
  }
}

/** As {@link doing}, for a cooperative task. */
export function* doingTask<T>(action: string, work: CooperativeTask<T>): CooperativeTask<T> {
  try {
    return yield* work;
  } catch (error) {
    throw refused(action, error);
  }
}

function refused(action: string, error: unknown): unknown {
  const name = error instanceof TbuildError ? undefined : errnoName(error);
  if (name === undefined) return error;
  return new TbuildError('SNAPSHOT', `Could not ${action} (${name})`, { cause: error, hint: HINTS[name] });
}
