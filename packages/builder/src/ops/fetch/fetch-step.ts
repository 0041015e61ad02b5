import type { Step } from '@tbuild/graph';
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

/** Returns how a step fetches. It counts as started with the first bytes, before its key is known. */
export function fetchStep({ id: step }: Step, { progress, now, readSecret, sources }: FetchStepPorts): Fetching {
  let started = false;
  return {
    readSecret,
    sources,
    report(item, current, total) {
      if (!started) progress.emit({ type: 'started', step, at: now() });
      started = true;
      progress.emit({ type: 'transfer', step, item, current, total });
    },
  };
}
