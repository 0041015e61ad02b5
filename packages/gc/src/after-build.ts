// What every build calls, apart from what few load.
export { mayExceed, withDefaultLimits } from './cache-limits.ts';
export type { CacheLimits } from './cache-limits.ts';
export { sweepLeftovers } from './sweep-leftovers.ts';
