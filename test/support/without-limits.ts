/** Variables that keep the cache whatever the disk is like, which would change what is in a store. An empty value is the default. */
export const withoutLimits = { TBUILD_MIN_FREE_SPACE: '0', TBUILD_MAX_USED_SPACE: '1000TB' };
