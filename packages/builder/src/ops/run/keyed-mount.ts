import type { ResultId, RunMount } from '@tbuild/graph';
import type { FileInput } from '../copy/file-input.ts';

/** A mount of a RUN with what the step's key has to know of it. */
export interface KeyedMount {
  readonly mount: RunMount;
  /** The mount as the key sees it: by the content of what it shows, not by where that comes from. */
  readonly key: object;
  readonly input?: FileInput;
  /** The step whose tree a bind mount shows, when it shows one. */
  readonly result?: ResultId;
}
