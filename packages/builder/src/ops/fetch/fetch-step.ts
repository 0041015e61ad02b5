import type { ReportTransfer } from '@tbuild/progress';
import type { OpEnvironment, StepContext } from '../op-environment.ts';

/** What an op that fetches needs. A build context is fetched without a step. */
export interface FetchContext extends Pick<OpEnvironment, 'services' | 'readSecret' | 'sources'> {
  readonly report: ReportTransfer;
}

/** Returns the context of a fetching step. The step counts as started with the first bytes, before its key is known. */
export function fetchStep({ progress, step, services, readSecret, sources }: StepContext): FetchContext {
  let started = false;
  return {
    services,
    readSecret,
    sources,
    report(item, current, total) {
      if (!started) progress.emit({ type: 'started', step: step.id, at: services.now() });
      started = true;
      progress.emit({ type: 'transfer', step: step.id, item, current, total });
    },
  };
}
