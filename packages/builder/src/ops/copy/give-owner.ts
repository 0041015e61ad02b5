import { chownSync } from 'node:fs';
import { errnoName, TbuildError } from '@tbuild/errors';

/**
 * Gives a file or directory that a step finds mounted to its owner.
 * @throws TbuildError UNSUPPORTED for an owner whose id an ordinary user has not been given.
 */
export function giveOwner(path: string, uid: number, gid: number): void {
  try {
    chownSync(path, uid, gid);
  } catch (cause) {
    if (errnoName(cause) !== 'EINVAL') throw cause;
    throw new TbuildError('UNSUPPORTED', `A mount cannot belong to ${uid}:${gid}: there is no such id for steps here`, {
      hint: 'tbuild doctor tells how to get subordinate ids',
      cause,
    });
  }
}
