import type { ProgressEvent } from '@tbuild/progress';
import type { ErrorCode, SourceRange } from '@tbuild/errors';

/** What the program is asked to do, as it stands on its standard input. */
export interface ProgramCall {
  readonly name: string;
  /** Checked by the program, which knows best what it understands. */
  readonly argument: unknown;
}

/** What the program says on {@link ANSWERS}: events, then one of the others. */
export type ProgramMessage =
  | { readonly type: 'event'; readonly event: ProgressEvent }
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly error: SentError };

/** An error as data. */
export interface SentError {
  readonly message: string;
  /** Undefined for an error that nobody expected. */
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly location?: SourceRange;
  readonly subject?: string;
  /** As the command line shows it. */
  readonly report: string;
  /** The messages of what caused it, nearest first. */
  readonly causes: readonly string[];
}

/** The descriptor that the program answers on. */
export const ANSWERS = 3;

/** The argument that makes the program take a call instead of a command line; the path of Node follows, if none is on the PATH. */
export const CALL_FLAG = '--api';
