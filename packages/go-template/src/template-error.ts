import { TbuildError } from '@tbuild/errors';

/** A word of a template and where it stands. */
export interface TemplatePlace {
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

/** An error that points at a word of a template. */
export function templateError(source: string, { text, at }: TemplatePlace, reason: string, hint?: string): TbuildError {
  const message = `Format ${JSON.stringify(source)} is not valid at ${JSON.stringify(text)} (column ${at + 1}): ${reason}`;
  return new TbuildError('USAGE', message, { hint });
}
