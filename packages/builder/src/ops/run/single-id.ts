import { TbuildError } from '@tbuild/errors';
import type { ProcessUser } from '@tbuild/executor';

/** As chown, tar, apt, su, npm and programs in Go say that the kernel refuses an id. */
const REFUSED_ID =
  /(?:chown|owner|set(?:e|re|res)?[ug]id|setgroups|set (?:groups|user id|group id)).*(?:invalid argument|operation not permitted)|(?:EINVAL|EPERM):.*chown/i;

/**
 * Returns a hint for a step whose output says that it could not use an id. `singleId` says why the step has only one, and
 * what gives it more.
 */
export function explainRefusedId(output: string, singleId: string | undefined): string | undefined {
  return singleId === undefined || !REFUSED_ID.test(output) ? undefined : hintFor(singleId);
}

/**
 * Returns the user that a step runs as: with faked ids always root.
 * @throws TbuildError UNSUPPORTED for another user where there is only one id.
 */
export function stepUser(
  user: ProcessUser,
  { singleId, fakeIds }: { readonly singleId?: string; readonly fakeIds: boolean },
): ProcessUser {
  if (fakeIds) return { ...user, uid: 0, gid: 0, groups: [0] };
  const { uid, gid } = user;
  if (singleId === undefined || (uid === 0 && gid === 0)) return user;
  throw new TbuildError('UNSUPPORTED', `The step cannot run as user ${uid}:${gid}: there is only one user id here`, {
    hint: hintFor(singleId),
  });
}

function hintFor(singleId: string): string {
  return `${singleId}; or use --fake-ids, with which owners and users only appear to change`;
}
