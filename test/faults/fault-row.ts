import type { Random } from '../support/random.ts';

/** One kind of fault. Each call of `run` is a case, which depends on nothing but the seed, the row and its number. */
export interface FaultRow {
  /** The value of `--row`. */
  readonly name: string;
  /** What is broken and what must hold, as a sentence. */
  readonly title: string;
  /** Requirements of `needs` in `test/support/requirements.ts`. */
  readonly needs?: readonly string[];
  /** The cases that `npm test` runs: short ones that show something. Default: 1 and 2. */
  readonly brief?: readonly number[];
  /** Runs one case. Throws when something does not hold. */
  run(context: FaultContext): Promise<void>;
}

export interface FaultContext {
  readonly random: Random;
  /** The number of the case, from 1: for a row that goes through a list in order. */
  readonly number: number;
  /** An empty directory, removed after the case. */
  readonly directory: string;
  /** Whether tbuild runs as the ordinary user of the tests. */
  readonly asUser?: boolean;
  /** Aborts when the case takes too long, or the run is interrupted. */
  readonly signal: AbortSignal;
  /** How much a case does, where a row can do more: half in `npm test`, and what `--size` says elsewhere. */
  readonly size: number;
  /** Adds to a figure of the row, such as `steps reused`. */
  count(what: string, n?: number): void;
  /** Ends the case: something does not hold. `details` are printed below the sentence. */
  fail(sentence: string, details?: string): never;
  /**
   * Returns the operations of the case. After a failure the runner tries the case with fewer of them, to find the smallest
   * list that still fails. Take everything from `random` that makes the list before.
   */
  plan<T>(operations: readonly T[]): readonly T[];
}
