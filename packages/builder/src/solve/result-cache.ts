import type { CachedStep, StepCache, StepRecord } from '@tbuild/cache';
import type { ResultId, StepKey } from '@tbuild/graph';
import type { StepResults } from '@tbuild/layers';
import type { Loaded, ResultCache } from '@tbuild/solver';
import type { Explanations } from './explanations.ts';

/** Step records as the solver uses them. It also knows when each result of this build was made. */
export interface RecordedResults extends ResultCache<ResultId> {
  /** Milliseconds since the epoch. */
  createdAt(result: ResultId): number;
  /** The record that a solved step stands on. */
  recordOf(key: StepKey): StepRecord | undefined;
}

export interface ResultCacheOptions {
  readonly cache: StepCache;
  readonly results: StepResults;
  readonly explanations: Explanations;
  /** What another machine has made, when no record of the store will do. */
  findImported(key: StepKey): CachedStep | undefined;
  now(): number;
}

/** A record whose result is gone is only remembered, and is replaced by the first that is whole. */
export function createResultCache({
  cache,
  results,
  explanations,
  findImported,
  now,
}: ResultCacheOptions): RecordedResults {
  const records = new Map<StepKey, StepRecord>();
  const times = new Map<ResultId, number>();
  const gone = new Set<string>();
  const use = (record: StepRecord): ResultId => {
    records.set(record.key, record);
    times.set(record.result, record.createdAt);
    return record.result;
  };
  const adopt = async ({ record, layer, contents }: CachedStep): Promise<Loaded<ResultId>> => {
    if (layer !== undefined && !(await results.has(record.result)))
      results.saveLayer(record.result, { ...layer, parent: record.parent ?? null });
    await results.addContentDigests(record.result, contents);
    const standing = await cache.put(record, { replace: gone.has(record.key) });
    const isWhole = await results.has(standing.result);
    if (!isWhole) gone.add(record.key);
    return { result: use(standing), isWhole };
  };
  const find = async (
    key: StepKey,
    { base, canGive }: Parameters<RecordedResults['load']>[1],
  ): Promise<Loaded<ResultId> | undefined> => {
    const record = await cache.get(key);
    // Touched before its result is looked for: from then on no prune takes it away.
    const isThere = record !== undefined && record.parent === base && cache.touch(key, now());
    if (isThere && (await results.has(record.result))) return { result: use(record), isWhole: true };
    if (record !== undefined) gone.add(key);
    const imported = findImported(key);
    if (imported !== undefined && (imported.layer !== undefined || !isThere)) {
      const { parent, result } = imported.record;
      if (parent === base && canGive?.(result) !== false) return adopt(imported);
    }
    return isThere ? { result: use(record), isWhole: false } : undefined;
  };
  return {
    async load(key, asking) {
      const loaded = await find(key, asking);
      if (loaded !== undefined) results.addStep(loaded.result, asking.step);
      return loaded;
    },
    async save(key, result, { base, replace }) {
      const record = { key, result, parent: base, createdAt: now() };
      return use(await cache.put(record, { replace: replace || gone.has(key) }));
    },
    resultsLostBy: (error) => results.resultsLostBy(error),
    explain: (step, key, parts) => explanations.explain(step, key, parts),
    createdAt: (result) => times.get(result) ?? now(),
    recordOf: (key) => records.get(key),
  };
}
