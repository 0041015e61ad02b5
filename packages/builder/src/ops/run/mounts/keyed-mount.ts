import type { ResultId, RunMount } from '@tbuild/graph';
import type { FileInput } from '../../copy/file-input.ts';

/** A mount of a RUN and its part of the step's key. */
export interface KeyedMount {
  readonly mount: RunMount;
  /** The mount's part of the key: the content of its source, not the location. */
  readonly key: object;
  readonly input?: FileInput;
  /** The result of the step whose tree a bind mount shows. */
  readonly result?: ResultId;
}
