import type { Sandbox } from '../executor.ts';
import { type DeviceGuard, enterDeviceGuard } from './device-guard.ts';
import { type VisibleGroup, visibleGroups } from './group-view.ts';
import { readHierarchies } from './hierarchies.ts';
import { makeStepCgroup, type StepCgroup } from './step-cgroup.ts';

/** Everything about the control groups of one step. */
export interface StepGroups extends AsyncDisposable {
  /** Files that the step enters its groups by, by writing `0`. */
  readonly joinFiles: readonly string[];
  /** The file by which a program that helps a step, and needs more devices, leaves the group of all steps, by writing `0`. */
  readonly leaveFile?: string;
  /** What the step is to see of them. */
  readonly visible: readonly VisibleGroup[];
  /** Whether it could open any device of which there is a node, and must not: mounts have to prevent it. */
  readonly needsNodev: boolean;
  /** Whether a process of the step was killed at its memory limit. */
  reachedMemoryLimit(): boolean;
}

/**
 * Makes the groups that a step needs. To be disposed when all its processes are gone.
 *
 * @throws TbuildError UNSUPPORTED where limits that it has cannot be kept.
 */
export async function makeStepGroups(
  name: string,
  sandbox: Pick<Sandbox, 'security' | 'resources' | 'cgroupParent'>,
  { guardsDevices }: { readonly guardsDevices: boolean },
): Promise<StepGroups> {
  const guard = guardsDevices ? await enterDeviceGuard() : undefined;
  const hierarchies = guard?.hierarchies ?? readHierarchies();
  const limits = makeStepCgroup(name, sandbox, hierarchies);
  const wanted = guardsDevices && sandbox.security === 'sandbox';
  return {
    joinFiles: [...(limits?.joinFiles ?? []), ...(guard === undefined ? [] : joinGuard(guard, limits, wanted))],
    leaveFile: guard?.leaveFile,
    visible: visibleGroups(hierarchies, (hierarchy) => limits?.groupIn(hierarchy)),
    needsNodev: wanted && guard === undefined,
    reachedMemoryLimit: () => limits?.reachedMemoryLimit() ?? false,
    [Symbol.asyncDispose]: async () => limits?.remove(),
  };
}

/** A group with limits lies outside of that with the filter, and a step that may open all devices has to. */
function joinGuard(guard: DeviceGuard, limits: StepCgroup | undefined, wanted: boolean): readonly string[] {
  const limited = guard.hierarchies.flatMap((each) => (each.version === 2 ? (limits?.groupIn(each) ?? []) : []));
  if (wanted) for (const group of limited) guard.guard(group);
  return wanted || limited.length > 0 ? [] : [guard.leaveFile];
}
