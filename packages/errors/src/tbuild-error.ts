import type { SourceRange } from './source-range.ts';

/** What can go wrong, in the words that callers may decide on. */
export type ErrorCode =
  | 'USAGE'
  | 'BAKE_FILE'
  | 'CONTEXT'
  | 'DOCKERFILE_SYNTAX'
  | 'DOCKERFILE_SEMANTICS'
  | 'NOT_FOUND'
  | 'DIGEST_MISMATCH'
  | 'REGISTRY'
  | 'UNAUTHORIZED'
  | 'PROCESS_FAILED'
  | 'SNAPSHOT'
  | 'UNSUPPORTED'
  | 'SYSTEM'
  | 'CANCELLED'
  | 'TIMED_OUT';

export interface TbuildErrorOptions {
  /** What the user can do about it; one sentence. */
  readonly hint?: string;
  /** Where in the Dockerfile (or another text) the cause stands. */
  readonly location?: SourceRange;
  /** The word at that place that is meant, e.g. one source of a COPY, when only the place of the whole is known. */
  readonly subject?: string;
  readonly cause?: unknown;
}

/**
 * An error that a user can provoke. The message is one sentence without a final full stop: what was
 * being done, the object quoted, expected and found. A broken invariant is a plain `Error` instead.
 */
export class TbuildError extends Error {
  readonly code: ErrorCode;
  readonly hint?: string;
  readonly location?: SourceRange;
  readonly subject?: string;

  constructor(code: ErrorCode, message: string, options: TbuildErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TbuildError';
    this.code = code;
    this.hint = options.hint;
    this.location = options.location;
    this.subject = options.subject;
  }
}

/** Whether `error` is a {@link TbuildError} with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is TbuildError {
  return error instanceof TbuildError && error.code === code;
}

/** Returns the message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The same error with a place added, for code that learns of the place later than of the failure. */
export function locate(error: unknown, location: SourceRange | undefined): unknown {
  if (!(error instanceof TbuildError) || error.location !== undefined || location === undefined) return error;
  return Object.assign(error, { location });
}

/** The same error with what failed before its message, such as `Failed to push app:1`. A wrong option keeps its message. */
export function prefixed(error: unknown, failed: string, otherHint?: string): unknown {
  if (!(error instanceof TbuildError) || error.code === 'CANCELLED' || error.code === 'USAGE') return error;
  const { code, hint, location, subject } = error;
  return new TbuildError(code, `${failed}: ${uncapitalized(error.message)}`, {
    hint: otherHint ?? hint,
    location,
    subject,
    cause: error,
  });
}

/** Returns a text as the beginning of a sentence. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Returns a sentence as a part of another one. Abbreviations stay. */
export function uncapitalized(sentence: string): string {
  return sentence.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());
}

/** Returns the error with which a failure began. A clean-up that fails too covers it with a SuppressedError. */
export function firstFailure(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) first = first.suppressed;
  return first;
}

/** The system's name for a failed call, e.g. `ENOENT`, or undefined when `error` is no system error. */
export function errnoName(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (typeof error.code !== 'string') return undefined;
  const named = 'errno' in error && typeof error.errno === 'number' ? UNNAMED[-error.errno] : undefined;
  return named ?? error.code;
}

/** Linux's numbers of errors that libuv has no name for. Their code is `UNKNOWN`, or "Unknown system error" and the number. */
const UNNAMED: Readonly<Record<number, string>> = { 116: 'ESTALE', 122: 'EDQUOT' };
