import type { Step, StepKey } from '@tbuild/graph';

/** A solved step: its cache key and its result. */
export interface Solved<R> {
  readonly key: StepKey;
  readonly result: R;
}

/** The solved base and sources of a step. */
export interface Inputs<R> {
  readonly base?: Solved<R>;
  readonly sources: readonly Solved<R>[];
}

/** A step with a known key. `run` works on exactly the inputs that the key covers. */
export interface Prepared<R> {
  readonly key: StepKey;
  /**
   * Makes ready the inputs of `run`, such as the tree of the base. The step waits meanwhile and counts as started
   * afterwards: the work and its failure belong to the steps that produced the inputs.
   */
  gather?(): Promise<void>;
  run(): Promise<R>;
  /**
   * Waits while another build runs a step with this key, whose result is then loaded from the cache. The step has the
   * turn until it is disposed. Not called for a step that must not be loaded.
   */
  takeTurn?(): Promise<Disposable>;
  /** Decides whether a result can belong to this key. A cache from elsewhere may hold anything. */
  canGive?(result: R): boolean;
  /** Results that were made before this time are not used. Milliseconds since the epoch. */
  readonly notBefore?: number;
  /** Called only for a step that has to run. */
  parts?(): Promise<KeyParts>;
}

/**
 * The parts of a key by readable names (`file src/a.c`). They show what changed since the step last ran. There may be
 * one part for each of many files, so they are iterated once, one by one.
 */
export type KeyParts = Iterable<readonly [name: string, value: string]>;

/** Work for a step before its key is known. */
export interface Anticipation {
  /** Aborts if the step turns out to be cached, or fails. */
  readonly signal: AbortSignal;
  /** Reports that the step starts with such work. */
  onStart(): void;
}

/** How one step is keyed and run. The solver knows nothing else about it. */
export interface Op<R> {
  /** Allows `prepare` to start work that `run` will almost certainly need. Called once, before `prepare`. */
  anticipate?(allowed: Anticipation): void;
  /**
   * Reads what the key depends on, and writes nothing that `anticipate` did not allow. Called once, as soon as the inputs are
   * solved.
   */
  prepare(inputs: Inputs<R>, signal: AbortSignal): Promise<Prepared<R>>;
}

/** The cached result of a key. */
export interface Loaded<R> {
  readonly result: R;
  /** False if only the record exists, without the data. That suffices to key dependent steps, but not to run one. */
  readonly isWhole: boolean;
}

/** Why the cache has no record for a step. */
export interface Miss {
  /** In one line. */
  readonly reason: string;
  /** All that changed, where the reason names only some of it. */
  readonly changes?: readonly string[];
}

/** Results of earlier builds by key. */
export interface ResultCache<R> {
  /** Returns the result under the key of a step on this base, if it can be the step's result. */
  load(
    key: StepKey,
    asking: Pick<Prepared<R>, 'canGive' | 'notBefore'> & { readonly step: Step; readonly base?: R },
  ): Promise<Loaded<R> | undefined>;
  /** Returns the result under the key: the first one saved wins unless `replace` is set. */
  save(key: StepKey, result: R, options: { readonly base?: R; readonly replace: boolean }): Promise<R>;
  /** Explains in one line why a step that has to run is not cached. */
  explain?(step: Step, key: StepKey, parts: KeyParts): Promise<Miss>;
  /** Returns the results that an error reports as missing. `load` takes them into account from then on. */
  resultsLostBy?(error: unknown): readonly R[];
}
