/** One measurement of one builder. */
export interface Sample {
  /** The case, e.g. `many-files`. */
  readonly case: string;
  /** The work, e.g. `20,000 files, cold`. */
  readonly work: string;
  readonly peer: string;
  readonly milliseconds: number;
  /** Most memory that the builder's process had resident, in bytes, where that can be known. */
  readonly peakMemory?: number;
}

/** Returns the median time of a peer at some work; undefined without samples. */
export function medianOf(samples: readonly Sample[], work: string, peer: string): number | undefined {
  const times = samples
    .filter((sample) => sample.work === work && sample.peer === peer)
    .map(({ milliseconds }) => milliseconds);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
