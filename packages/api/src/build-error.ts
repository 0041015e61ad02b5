import { TbuildError, type ErrorCode, type TbuildErrorOptions } from '@tbuild/errors';
import type { SentError } from './messages.ts';

/** What went wrong with something that the program was asked to do. */
export class BuildError extends TbuildError {
  /** As the command line shows it: place, lines of the Dockerfile, message and hint. */
  readonly report: string;

  constructor(code: ErrorCode, message: string, options: TbuildErrorOptions & { readonly report?: string } = {}) {
    super(code, message, options);
    this.name = 'BuildError';
    const hint = options.hint === undefined ? '' : `\nhint: ${options.hint}`;
    this.report = options.report ?? `ERROR: ${message}${hint}`;
  }
}

/** The error that was sent: a {@link BuildError}, or a plain `Error` for what nobody expected. */
export function receivedError({ message, code, causes, ...more }: SentError): Error {
  const cause = causes.reduceRight<Error | undefined>((inner, text) => new Error(text, { cause: inner }), undefined);
  return code === undefined ? new Error(message, { cause }) : new BuildError(code, message, { ...more, cause });
}
