import type { Progress } from '@tbuild/progress';
import type { BuildRequest } from './request.ts';
import type { Services } from './services.ts';

/** What a build is given to run with, besides what to build. */
export interface BuildRun {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Values of `--secret` by id, read when a step asks. */
  readSecret?(id: string): Buffer | undefined;
  /** Told of the Dockerfile's text as soon as it is loaded: errors and warnings point into it. */
  onDefinition?(definition: { readonly name: string; readonly text: string }): void;
}

/** All that a running build hands down. */
export interface BuildEnvironment extends BuildRun {
  readonly request: BuildRequest;
  readonly services: Services;
  now(): number;
}
