import type { ProcessResult } from '../../support/run-process.ts';
import type { FaultContext } from '../fault-row.ts';
import { isArchiveCutOff, type Site } from '../operations.ts';
import { isInternalError } from '../run-tbuild.ts';

/** The errors, and the words for them that a message has. */
const WORDS: Readonly<Record<string, RegExp>> = {
  ENOSPC: /no space left|none is left on the file system/i,
  EDQUOT: /quota|none is left on the file system/i,
  EIO: /i\/o error|input\/output error/i,
  EROFS: /read-only/i,
  EMFILE: /too many open files/i,
  ENOMEM: /not enough memory|cannot allocate memory|out of memory/i,
};

export interface Expected {
  readonly site: Site;
  readonly context: FaultContext;
  /** The error that the message must be about; undefined where anything may have failed. */
  readonly error: string | undefined;
  /** For the details of a failure. */
  readonly what: string;
}

/** A command succeeds in spite of the fault, or exits with 1 and one message that names the error and the place. */
export function requireClearEnd(
  { exitCode, stderr, stdout }: ProcessResult,
  { site, context: { fail }, error, what }: Expected,
): void {
  const shown = `${what}\n${stdout}${stderr}`;
  if (isArchiveCutOff(site)) fail('The archive is cut off', shown);
  if (isInternalError(stderr)) fail('It printed a stack trace', shown);
  if (error === undefined || exitCode === 0) return;
  if (exitCode !== 1) fail(`It exited with ${exitCode}, expected 1`, shown);
  if (!WORDS[error]!.test(stderr)) fail(`Nothing says ${error}`, shown);
  if (!stderr.includes(site.directory) && !stderr.includes('standard output'))
    fail(`The message about ${error} names no file or store`, shown);
}
