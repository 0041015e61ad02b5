import { TbuildError } from '@tbuild/errors';

/** A word of a template and its position. */
export interface TemplatePlace {
  readonly text: string;
  /** Counted from 0. */
  readonly at: number;
}

/** Creates an error that points to a word of a template. */
export function templateError(
  source: string,
  { text, at }: TemplatePlace,
  { reason, hint }: { readonly reason: string; readonly hint?: string },
): TbuildError {
  const message = `Format ${JSON.stringify(source)} is not valid at ${JSON.stringify(text)} (column ${at + 1}): ${reason}`;
  return new TbuildError('USAGE', message, { hint });
}
