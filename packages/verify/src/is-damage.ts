import { hasCode, type TbuildError } from '@tbuild/errors';

/** Damaged bytes are a result; anything else, such as a server that does not answer, is an error. */
export function isDamage(error: unknown): error is TbuildError {
  return hasCode(error, 'DIGEST_MISMATCH') || hasCode(error, 'SNAPSHOT');
}
