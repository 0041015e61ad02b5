export type { CacheContents, CachedMount, CachedOutlines, CachedStep } from './cached-step.ts';
export { encodeExplanation, explainedSteps, readExplanation } from './explained-steps.ts';
export type { Explanation } from './explained-steps.ts';
export type { ExplanationNote } from './explanation-notes.ts';
export { createLocalCache } from './local-cache.ts';
export { fitInlineCache } from './fit-inline-cache.ts';
export { encodeCache, encodeInlineCache, isCache, readCache, writeCache } from './remote-cache.ts';
export type { EncodedCache, WriteCacheOptions } from './remote-cache.ts';
export type { StepCache, StepRecord } from './step-cache.ts';
