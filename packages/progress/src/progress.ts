import type { ProgressEvent } from './event.ts';

/** Where a build tells what it does. Emitting never fails, never blocks and never answers. */
export interface Progress {
  emit(event: ProgressEvent): void;
}

/** A progress that forgets everything. */
export const silent: Progress = { emit: () => {} };
