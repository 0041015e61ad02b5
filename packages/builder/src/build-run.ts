import type { Progress } from '@tbuild/progress';
import type { BuildRequest } from './request.ts';
import type { Services } from './services.ts';

/** The caller's side of a running build: progress, cancellation, secrets. */
export interface BuildRun {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Returns the value of a `--secret` by ID. Called when a step needs it. */
  readSecret?(id: string): Buffer | undefined;
  /** Receives the Dockerfile as soon as it is loaded. Locations of errors and warnings refer to it. */
  onDefinition?(definition: { readonly name: string; readonly text: string }): void;
}

/** The environment of a running build. */
export interface BuildEnvironment extends BuildRun {
  readonly request: BuildRequest;
  readonly services: Services;
  now(): number;
}
