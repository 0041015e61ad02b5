import type { ProgressEvent } from './event.ts';

/** Receives what a build does. Emitting never fails, never blocks and never answers. */
export interface Progress {
  emit(event: ProgressEvent): void;
}

/** A progress that drops everything. */
export const silent: Progress = { emit: () => {} };
