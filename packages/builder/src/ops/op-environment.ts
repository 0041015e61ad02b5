import type { Step, StepId } from '@tbuild/graph';
import type { Progress } from '@tbuild/progress';
import type { Contexts } from '../contexts.ts';
import type { StepResults } from '../step-results.ts';
import type { Worker } from '../worker.ts';
import type { Locks } from './locks.ts';

/** What the ops of one build share. */
export interface OpEnvironment {
  readonly worker: Worker;
  readonly results: StepResults;
  readonly contexts: Contexts;
  readonly progress: Progress;
  /** `--add-host`. */
  readonly extraHosts: readonly string[];
  /** Proxy variables for RUN that are in no key. */
  readonly proxyEnv: readonly string[];
  /** The value of a `--secret`, undefined when there is none of that id. */
  readSecret(id: string): Buffer | undefined;
  readonly cacheLocks: Locks;
  /** `SOURCE_DATE_EPOCH` in milliseconds: the time of everything that COPY, ADD and WORKDIR write. */
  readonly epoch?: number;
  /**
   * The time of what the Dockerfile alone says (directories of WORKDIR, inline files): that of the
   * Dockerfile, so that the same input gives the same bytes.
   */
  readonly dockerfileTime: number;
  /** Steps whose layers the image will need: packed while later steps run. */
  readonly layered: ReadonlySet<StepId>;
}

/** A step together with what its op shares with the others. */
export interface StepContext extends OpEnvironment {
  readonly step: Step;
}
