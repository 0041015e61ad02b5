import type { CachedStep, StepCache, StepRecord } from '@tbuild/cache';
import type { ResultId, StepKey } from '@tbuild/graph';
import type { StepResults } from '@tbuild/layers';
import type { ResultCache } from '@tbuild/solver';
import type { Explanations } from './explanations.ts';

/** Step records for the solver. Also knows when each result of this build was made. */
export interface RecordedResults extends ResultCache<ResultId> {
  /** Returns milliseconds since the epoch. */
  createdAt(result: ResultId): number;
  /** Returns the record that a solved step came from. */
  recordOf(key: StepKey): StepRecord | undefined;
}

export interface ResultCacheOptions {
  readonly cache: StepCache;
  readonly results: StepResults;
  readonly explanations: Pick<Explanations, 'explain'>;
  /** Returns the result of another machine if the store has no usable record. */
  findImported(key: StepKey): CachedStep | undefined;
  now(): number;
}

/** Creates the result cache. A record without its result is kept until another one replaces it. */
export function createResultCache(options: ResultCacheOptions): RecordedResults {
  const { cache, results, explanations, now } = options;
  const records = new Map<StepKey, StepRecord>();
  const times = new Map<ResultId, number>();
  const gone = new Set<StepKey>();
  const expired = new Set<StepKey>();
  const find = createRecordFinder(options, { gone, expired });
  const use = (record: StepRecord): ResultId => {
    records.set(record.key, record);
    times.set(record.result, record.createdAt);
    return record.result;
  };
  return {
    async load(key, asking) {
      const found = await find(key, asking);
      if (found === undefined) return undefined;
      results.addStep(found.record.result, asking.step);
      return { result: use(found.record), isWhole: found.isWhole };
    },
    async save(key, result, { base, replace }) {
      const record = { key, result, parent: base, createdAt: now() };
      return use(await cache.put(record, { replace: replace || gone.has(key) }));
    },
    resultsLostBy: (error) => results.resultsLostBy(error),
    async explain(step, key, parts) {
      const miss = await explanations.explain(step, key, parts);
      return expired.has(key) ? { reason: 'it ran longer ago than --cache-ttl allows' } : miss;
    },
    createdAt: (result) => times.get(result) ?? now(),
    recordOf: (key) => records.get(key),
  };
}

/** A record, and whether its result can be used. */
interface FoundRecord {
  readonly record: StepRecord;
  readonly isWhole: boolean;
}

type FindRecord = (
  key: StepKey,
  asking: Pick<Parameters<RecordedResults['load']>[1], 'base' | 'canGive' | 'notBefore'>,
) => Promise<FoundRecord | undefined>;

/** Keys whose record cannot be used: its result is gone, or too old. */
interface UselessRecords {
  readonly gone: Set<StepKey>;
  readonly expired: Set<StepKey>;
}

/** Finds records in the store, then in imported caches. Adds keys of records that cannot be used. */
function createRecordFinder(
  { cache, results, findImported, now }: ResultCacheOptions,
  { gone, expired }: UselessRecords,
): FindRecord {
  const adopt = async ({ record, layer, contents }: CachedStep): Promise<FoundRecord> => {
    if (layer !== undefined && !(await results.has(record.result)))
      results.saveLayer(record.result, { ...layer, parent: record.parent ?? null });
    await results.addContentDigests(record.result, contents);
    const standing = await cache.put(record, { replace: gone.has(record.key) });
    const isWhole = await results.has(standing.result);
    if (!isWhole) gone.add(record.key);
    return { record: standing, isWhole };
  };
  return async (key, { base, canGive, notBefore = -Infinity }) => {
    const young = <T extends Pick<StepRecord, 'createdAt'>>(one: T | undefined): T | undefined => {
      if (one === undefined || one.createdAt >= notBefore) return one;
      gone.add(key);
      expired.add(key);
      return undefined;
    };
    const record = young(await cache.get(key));
    // Touch before looking for the result, so that no prune removes it from here on.
    const isThere = record !== undefined && record.parent === base && cache.touch(key, now());
    if (isThere && (await results.has(record.result))) return { record, isWhole: true };
    if (record !== undefined) gone.add(key);
    const imported = findImported(key);
    if (imported !== undefined && young(imported.record) !== undefined && (imported.layer !== undefined || !isThere)) {
      const { parent, result } = imported.record;
      if (parent === base && canGive?.(result) !== false) return adopt(imported);
    }
    return isThere ? { record, isWhole: false } : undefined;
  };
}
