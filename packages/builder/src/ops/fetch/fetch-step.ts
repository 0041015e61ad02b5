import type { GitOp, HttpOp, Step } from '@tbuild/graph';
import type { Progress, ReportTransfer } from '@tbuild/progress';
import type { ResolvedSources } from '../../session/resolved-sources.ts';
import type { Secrets } from '../secrets.ts';

/** How a build fetches from another machine: with its secrets, and in its sight. A context is fetched without a step. */
export interface Fetching extends Secrets {
  readonly report: ReportTransfer;
  readonly sources: ResolvedSources;
}

/** What a fetching step uses to show and remember what it reads. */
export interface FetchStepPorts extends Omit<Fetching, 'report'> {
  readonly progress: Progress;
  now(): number;
}

/** The step that fetches, and its own op. */
export interface FetchingStep {
  readonly step: Step;
  readonly op: GitOp | HttpOp;
}

/**
 * Returns how a step fetches. It counts as started with the first bytes, before its key is known. What it reads is known
 * by its own op, whatever a source policy puts in the place of that.
 */
export function fetchStep(
  { step: { id: step }, op }: FetchingStep,
  { progress, now, readSecret, sources }: FetchStepPorts,
): Fetching {
  let started = false;
  return {
    readSecret,
    sources: { add: (_, found) => sources.add(op, found), get: () => sources.get(op) },
    report(item, current, total) {
      if (!started) progress.emit({ type: 'started', step, at: now() });
      started = true;
      progress.emit({ type: 'transfer', step, item, current, total });
    },
  };
}
