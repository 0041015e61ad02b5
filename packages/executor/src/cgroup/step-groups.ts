import { statSync } from 'node:fs';
import { type AllowedDevice, majorOf, minorOf } from '@tbuild/linux';
import type { Sandbox } from '../executor.ts';
import { type DeviceGuard, enterDeviceGuard } from './device-guard.ts';
import { type VisibleGroup, visibleGroups } from './group-view.ts';
import { readHierarchies } from './hierarchies.ts';
import { type GroupMemory, makeStepCgroup, type StepCgroup } from './step-cgroup.ts';

/** The control groups of one step. */
export interface StepGroups extends AsyncDisposable {
  /** The `cgroup.procs` files by which the step joins its groups. */
  readonly joinFiles: readonly string[];
  /** The groups that the step sees. */
  readonly visible: readonly VisibleGroup[];
  /** Whether the step could open any device of which it has a node, so that mounts need `nodev`. */
  readonly needsNodev: boolean;
  /** Returns what the groups know of the step's memory. */
  memory(): GroupMemory;
}

/**
 * Creates the groups of a step. Dispose them when all its processes have ended.
 *
 * @throws TbuildError UNSUPPORTED if its limits cannot be set.
 */
export async function makeStepGroups(
  name: string,
  sandbox: Pick<Sandbox, 'security' | 'resources' | 'cgroupParent'> & Partial<Pick<Sandbox, 'mounts'>>,
  { guardsDevices }: { readonly guardsDevices: boolean },
): Promise<StepGroups> {
  const guard = guardsDevices ? await enterDeviceGuard() : undefined;
  const hierarchies = guard?.hierarchies ?? readHierarchies();
  const wanted = guardsDevices && sandbox.security === 'sandbox';
  const devices = devicesOf(sandbox);
  const isOwn = wanted && guard !== undefined && devices.length > 0;
  const limits = makeStepCgroup(name, sandbox, { hierarchies, always: isOwn });
  return {
    joinFiles: [
      ...(limits?.joinFiles ?? []),
      ...(guard === undefined ? [] : joinGuard(guard, limits, { wanted, devices })),
    ],
    visible: visibleGroups(hierarchies, (hierarchy) => limits?.groupIn(hierarchy)),
    needsNodev: wanted && guard === undefined,
    memory: () => limits?.memory() ?? { reachedLimit: false },
    [Symbol.asyncDispose]: async () => limits?.remove(),
  };
}

/** A group with limits is outside the group with the filter; a step that may open all devices must be too. */
function joinGuard(
  guard: DeviceGuard,
  limits: StepCgroup | undefined,
  { wanted, devices }: { readonly wanted: boolean; readonly devices: readonly AllowedDevice[] },
): readonly string[] {
  const limited = guard.hierarchies.flatMap((each) => (each.version === 2 ? (limits?.groupIn(each) ?? []) : []));
  if (wanted) for (const group of limited) guard.guard(group, devices);
  return wanted || limited.length > 0 ? [] : [guard.leaveFile];
}

/** Returns the numbers of the devices that a step may open besides those of every step. */
function devicesOf({ mounts = [] }: Partial<Pick<Sandbox, 'mounts'>>): readonly AllowedDevice[] {
  return mounts.flatMap((mount) => {
    if (mount.type !== 'bind' || mount.isDevice !== true) return [];
    const { rdev } = statSync(mount.source);
    return [{ major: majorOf(rdev), minor: minorOf(rdev) }];
  });
}
