import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';
import { type Digest } from '@tbuild/oci';

/** The bytes of a layer were available when the build began, but are no longer. */
export class LostLayer extends TbuildError {
  readonly digest: Digest;

  constructor(digest: Digest, cause: TbuildError) {
    super(cause.code, cause.message, { cause, hint: cause.hint });
    this.digest = digest;
  }
}

/** The record of a needed result exists, but neither its tree nor its layer. */
export class LostResult extends TbuildError {
  readonly result: ResultId;

  constructor(result: ResultId) {
    super('NOT_FOUND', `Result ${result} has neither tree nor layer`);
    this.result = result;
  }
}

/** Returns the lost layer among the causes of an error. */
export function lostLayerBehind(error: unknown): LostLayer | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof LostLayer) return each;
  return undefined;
}
