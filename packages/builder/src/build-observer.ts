import type { Graph, ResultId, StepId } from '@tbuild/graph';
import type { RuntimeConfig } from '@tbuild/oci';
import type { Solved } from '@tbuild/solver';

/** The configuration of an image of the build, and the step with its tree. */
export interface PlannedImage {
  readonly target: string;
  readonly step?: StepId;
  readonly config: RuntimeConfig;
}

/** Follows a build, to remember it. Like a progress, it never fails and never answers. */
export interface BuildObserver {
  planned(graph: Graph, images: readonly PlannedImage[]): void;
  solved(step: StepId, solved: Solved<ResultId>): void;
  /** The process of a step failed. The tree that it left is kept under a name that no record has. */
  failed(failed: FailedTree): void;
}

export interface FailedTree {
  readonly step: StepId;
  readonly tree: ResultId;
}
