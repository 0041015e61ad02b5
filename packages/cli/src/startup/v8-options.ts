/**
 * The options of V8 that a process runs with when it starts from a snapshot or writes layers.
 *
 * - V8's default for the space of young objects costs a large build 25 MB more and saves no time. A space that starts with its
 *   full size saves a small build each collection.
 * - Buffers count against the size at which V8 starts to look for garbage. By default that is twice the size of the heap,
 *   which here is small: a download would reach it every 40 ms, and each search takes 18 ms of processor time.
 * - Baseline code takes a small build longer to compile than it saves, and a large one soon has optimized code.
 */
export const V8_OPTIONS = [
  '--min-semi-space-size=4',
  '--max-semi-space-size=4',
  '--initial-old-space-size=64',
  '--no-sparkplug',
] as const;
