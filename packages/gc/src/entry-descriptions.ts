import { explainedSteps } from '@tbuild/cache';
import type { StoreLayout } from '@tbuild/store';
import type { CacheEntry } from './cache-entry.ts';

/** Returns a function that says what an entry is: the step's name when it ran here last, or the source of a fetched one. */
export function entryDescriptions(store: StoreLayout): (entry: CacheEntry) => string | undefined {
  const names = new Map<string, string>();
  for (const { key, name } of explainedSteps(store)) names.set(key, name);
  return ({ description, keys }) =>
    description ?? keys.map((key) => names.get(key)).find((known) => known !== undefined);
}
