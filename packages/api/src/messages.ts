import type { ErrorCode, SourceRange } from '@tbuild/errors';
import type { ProgressEvent } from '@tbuild/progress';

/** The call that the program reads on its standard input. */
export interface ProgramCall {
  readonly name: string;
  /** Plain data. The program checks it. */
  readonly argument: unknown;
}

/** A message of the program on {@link ANSWERS}: any number of events, then one of the others. */
export type ProgramMessage =
  | { readonly type: 'event'; readonly event: ProgressEvent }
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: SentError };

/** An error as data. */
export interface SentError {
  readonly message: string;
  /** Undefined for a defect. */
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly location?: SourceRange;
  readonly subject?: string;
  /** The report that the command line prints. */
  readonly report: string;
  /** The messages of its causes, nearest first. */
  readonly causes: readonly string[];
}

/** The file descriptor on which the program answers. */
export const ANSWERS = 3;

/**
 * The argument that makes the program take a call instead of a command line. The path of Node follows, for a PATH
 * without Node.
 */
export const CALL_FLAG = '--api';
