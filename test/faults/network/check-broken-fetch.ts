import type { FaultContext } from '../fault-row.ts';
import { isInternalError } from '../run-tbuild.ts';

interface BrokenFetch {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** What the server did wrong. */
  readonly kind: string;
  readonly isInterrupted: boolean;
}

/** Fails the case unless a build from `app.git` survived, was ended by Ctrl-C or says what failed. */
export function checkBrokenFetch(context: FaultContext, { exitCode, stderr, kind, isInterrupted }: BrokenFetch): void {
  if (isInternalError(stderr)) context.fail('A build ends with an internal error', stderr);
  if (exitCode === 0) return context.count('builds that survived');
  if (isInterrupted) {
    if (exitCode !== 130) context.fail(`Ctrl-C ends a build with ${exitCode}`, stderr);
    return context.count('builds that Ctrl-C ended');
  }
  if (!/^ERROR: .*(?:Failed to fetch remote|Repository ).*app\.git/m.test(stderr))
    context.fail(`A build does not say what failed (${kind})`, stderr);
  context.count('builds that said what failed');
}
