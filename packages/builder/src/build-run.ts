import type { Progress } from '@tbuild/progress';
import type { BuildObserver } from './build-observer.ts';

/** The caller's side of a running build: progress, cancellation, secrets. */
export interface BuildRun {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The name of the build. Defaults to a new one. */
  readonly ref?: string;
  /** Whether the result has the provenance of each image, beside the requested attestations. Defaults to no. */
  readonly withProvenance?: boolean;
  /** Returns the value of a `--secret` by ID. Called when a step needs it. */
  readSecret?(id: string): Buffer | undefined;
  /** Receives the Dockerfile as soon as it is loaded. Locations of errors and warnings refer to it. */
  onDefinition?(definition: { readonly name: string; readonly text: string }): void;
  readonly observer?: BuildObserver;
}

/** Work under way: where it is shown, and what stops it. */
export interface Underway {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly observer?: BuildObserver;
}
