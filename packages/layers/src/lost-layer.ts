import { type Digest } from '@tbuild/oci';
import { TbuildError } from '@tbuild/errors';
import type { ResultId } from '@tbuild/graph';

/** The bytes of a layer were to be had when the build began, and are no longer; otherwise the error that says so. */
export class LostLayer extends TbuildError {
  readonly digest: Digest;

  constructor(digest: Digest, cause: TbuildError) {
    super(cause.code, cause.message, { cause, hint: cause.hint });
    this.digest = digest;
  }
}

/** A result is needed of which only the record is there. */
export class LostResult extends TbuildError {
  readonly result: ResultId;

  constructor(result: ResultId) {
    super('NOT_FOUND', `Result ${result} has neither tree nor layer`);
    this.result = result;
  }
}

/** The lost layer that an error came of, however it was wrapped. */
export function lostLayerBehind(error: unknown): LostLayer | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof LostLayer) return each;
  return undefined;
}
