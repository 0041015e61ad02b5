export { createLocalCache } from './local-cache.ts';
export type { ResultId, StepCache, StepRecord } from './step-cache.ts';
