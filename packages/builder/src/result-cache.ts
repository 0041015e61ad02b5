import type { ResultId, StepCache } from '@tbuild/cache';
import type { ResultCache } from '@tbuild/solver';
import type { StepResults } from './step-results.ts';

/** Step records as the solver uses them. It also knows when each result of this build was made. */
export interface RecordedResults extends ResultCache<ResultId> {
  /** Milliseconds since the epoch. */
  createdAt(result: ResultId): number;
}

/** A record whose result is gone counts as none and is replaced. */
export function createResultCache(cache: StepCache, results: StepResults, now: () => number): RecordedResults {
  const times = new Map<ResultId, number>();
  const gone = new Set<string>();
  return {
    async load(key) {
      const record = await cache.get(key);
      if (record === undefined) return undefined;
      if (!(await results.has(record.result))) {
        gone.add(key);
        return undefined;
      }
      times.set(record.result, record.createdAt);
      return record.result;
    },
    async save(key, result, { base, replace }) {
      const record = { key, result, parent: base, createdAt: now() };
      const standing = await cache.put(record, { replace: replace || gone.has(key) });
      times.set(standing.result, standing.createdAt);
      return standing.result;
    },
    createdAt: (result) => times.get(result) ?? now(),
  };
}
