import type { Step } from '@tbuild/graph';
import type { Digest } from '@tbuild/oci';

/** A step that is done: its cache key and what it gave. */
export interface Solved<R> {
  readonly key: Digest;
  readonly result: R;
}

/** What a step stands on and reads from, solved. */
export interface Inputs<R> {
  readonly base?: Solved<R>;
  readonly sources: readonly Solved<R>[];
}

/** A step whose key is known. `run` works on exactly what was keyed. */
export interface Prepared<R> {
  readonly key: Digest;
  /**
   * Makes ready what `run` needs of the inputs, such as the tree of the base. The step only waits for this work, and counts
   * as started after it: the work is shown as that of the steps whose results these are, and so is its failure.
   */
  gather?(): Promise<void>;
  run(): Promise<R>;
  /** Whether this may be what it gives, as far as the key tells: a cache of somebody else's can say anything. */
  canGive?(result: R): boolean;
  /** Asked only of a step that has to run. */
  parts?(): Promise<KeyParts>;
}

/**
 * What a key was made of, by names for people (`file src/a.c`): tells what changed since the step ran last. There may
 * be a part for each of very many files, so they are gone through one by one, and once.
 */
export type KeyParts = Iterable<readonly [name: string, value: string]>;

/** How one step is keyed and done. The solver knows nothing else about it. */
export interface Op<R> {
  /**
   * Allows work that `run` is nearly certain to need to start while `prepare` is still reading. Called once, before `prepare`. The
   * signal aborts when the step turns out to be cached, or fails.
   */
  anticipate?(inputs: Inputs<R>, signal: AbortSignal): void;
  /** Reads what the key depends on; writes nothing. Called once, as soon as the inputs are solved. */
  prepare(inputs: Inputs<R>, signal: AbortSignal): Promise<Prepared<R>>;
}

/** What stands under a key. */
export interface Loaded<R> {
  readonly result: R;
  /** False for a result that is only remembered: enough for the keys of what reads it, not for anything that runs. */
  readonly isWhole: boolean;
}

/** Results of earlier builds by key. */
export interface ResultCache<R> {
  /** What stands under the key of a step on this base, and can be its result. */
  load(
    key: Digest,
    asking: Pick<Prepared<R>, 'canGive'> & { readonly step: Step; readonly base?: R },
  ): Promise<Loaded<R> | undefined>;
  /** Returns the result that stands under the key: the first one saved wins unless `replace` is set. */
  save(key: Digest, result: R, options: { readonly base?: R; readonly replace: boolean }): Promise<R>;
  /** Why nothing stands under the key of a step that has to run, in one line. */
  explain?(step: Step, key: Digest, parts: KeyParts): Promise<string>;
  /** The results that turned out to be gone, when that is what an error says. `load` knows of it from then on. */
  resultsLostBy?(error: unknown): readonly R[];
}
