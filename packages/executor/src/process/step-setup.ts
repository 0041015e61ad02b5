import type { VisibleGroup } from '../cgroup/group-view.ts';

/** What the set-up of a step uses. */
export interface StepSetup {
  /** An empty directory for this step. */
  readonly directory: string;
  /**
   * Descriptors of `cgroup.procs` files. The last program of the set-up writes `0` to each to join the step's control
   * groups.
   */
  readonly joinDescriptors: readonly number[];
  /** The control groups that the step can see. */
  readonly groups: readonly VisibleGroup[];
  /** Whether mounts need `nodev`, because no device filter keeps the step from opening device nodes. */
  readonly needsNodev: boolean;
  /** Registers an undo function that runs when all processes are gone, the last one first. */
  atEnd(undo: () => void): void;
}
