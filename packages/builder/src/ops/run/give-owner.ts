import { chownSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';

/**
 * Sets the owner of a mounted file or directory.
 * @throws TbuildError UNSUPPORTED for an ID that is not mapped for this user.
 */
export function giveOwner(path: string, uid: number, gid: number): void {
  try {
    chownSync(path, uid, gid);
  } catch (cause) {
    if (errnoName(cause) !== 'EINVAL') throw cause;
    throw new TbuildError(
      'UNSUPPORTED',
      `Cannot set the owner of a mount to ${uid}:${gid}: the ID is not mapped for this user`,
      {
        hint: 'Run tbuild doctor to see how to get subordinate IDs',
        cause,
      },
    );
  }
}
