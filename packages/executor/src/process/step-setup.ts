import type { VisibleGroup } from '../cgroup/group-view.ts';

/** What a step is made ready in. */
export interface StepSetup {
  /** Empty, and the step's own. */
  readonly directory: string;
  /** Descriptors that the last program of the set-up writes `0` to, by which it enters the step's control groups. */
  readonly joinDescriptors: readonly number[];
  /** The file that a program which helps the step, and needs more devices, writes `0` to, if it has to. */
  readonly leaveFile?: string;
  /** The control groups that the step is to see. */
  readonly groups: readonly VisibleGroup[];
  /** Whether only mounts can keep the step from opening devices that it has nodes of. */
  readonly needsNodev: boolean;
  /** To be done when all processes are gone; the last one first. */
  atEnd(undo: () => void): void;
}
