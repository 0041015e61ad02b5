import { TbuildError, type ErrorCode, type TbuildErrorOptions } from '@tbuild/errors';
import type { SentError } from './messages.ts';

/** A failure of a call. */
export class BuildError extends TbuildError {
  /** The report that the command line prints: place, lines of the Dockerfile, message and hint. */
  readonly report: string;

  constructor(code: ErrorCode, message: string, options: TbuildErrorOptions & { readonly report?: string } = {}) {
    super(code, message, options);
    this.name = 'BuildError';
    const hint = options.hint === undefined ? '' : `\nhint: ${options.hint}`;
    this.report = options.report ?? `ERROR: ${message}${hint}`;
  }
}

/** Returns the error that the program sent: a {@link BuildError}, or a plain `Error` for one without a code. */
export function receivedError({ message, code, causes, ...more }: SentError): Error {
  const cause = causes.reduceRight<Error | undefined>((inner, text) => new Error(text, { cause: inner }), undefined);
  return code === undefined ? new Error(message, { cause }) : new BuildError(code, message, { ...more, cause });
}
