import { mkdirSync, promises } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { type AllowedDevice, type DeviceFilter, loadDeviceFilter, startUnattended } from '@tbuild/linux';
import { TOOL_ENVIRONMENT, toolPath } from '../machine/tools.ts';
import { DEVICES } from '../sandbox/devices.ts';
import { type Hierarchy, readHierarchies } from './hierarchies.ts';
import { ownGroup, removeAbandoned, removeWhenEmpty } from './remove-groups.ts';

/** A device filter on this process and, by inheritance, on the steps that it starts. */
export interface DeviceGuard {
  /** The hierarchies before this process joined the group. */
  readonly hierarchies: readonly Hierarchy[];
  /** The `cgroup.procs` file by which a step that may open all devices leaves the group. */
  readonly leaveFile: string;
  /** Attaches the filter to another group, which may open more devices. */
  guard(group: string, more: readonly AllowedDevice[]): void;
}

interface Entered extends DeviceGuard {
  leave(): Promise<void>;
  removeSoon(): void;
}

/** /dev/ptmx and the terminals in /dev/pts. */
const TERMINALS = [{ major: 5, minor: 2 }, { major: 136 }];
const ALLOWED: readonly AllowedDevice[] = [...DEVICES, ...TERMINALS];

let entered: Promise<Entered | undefined> | undefined;

/**
 * Puts Docker's device filter on this process. Root may make nodes of any device, and a base image may contain some,
 * but only the devices of a step's /dev can be opened. Returns undefined if this machine or user cannot have it.
 *
 * All steps share one group with this process, since joining a group costs 10 ms: the kernel waits until no processor
 * uses the old one. {@link leaveDeviceGuard} undoes it.
 */
export function enterDeviceGuard(): Promise<DeviceGuard | undefined> {
  return (entered ??= enter());
}

/** Returns the `cgroup.procs` file by which a program that needs more devices leaves the group, if this process is in it. */
export async function deviceGuardExit(): Promise<string | undefined> {
  return (await entered)?.leaveFile;
}

/** Leaves the group and removes it. Call it when all steps have ended. */
export async function leaveDeviceGuard(): Promise<void> {
  const guard = entered;
  entered = undefined;
  await (await guard)?.leave();
}

/**
 * The same as {@link leaveDeviceGuard} for a process that is about to exit: a background shell removes the group. Until then
 * the process stays in it, and what it still runs shares it.
 */
export async function removeDeviceGuardSoon(): Promise<void> {
  (await entered)?.removeSoon();
}

async function enter(): Promise<Entered | undefined> {
  const hierarchies = readHierarchies();
  const hierarchy = hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return undefined;
  const path = join(hierarchy.own, ownGroup());
  const leaveFile = `${hierarchy.own}/cgroup.procs`;
  try {
    const filter = loadDeviceFilter(ALLOWED);
    mkdirSync(path);
    filter.attach(path);
    await promises.writeFile(`${path}/cgroup.procs`, '0');
    removeAbandoned(path);
    return {
      hierarchies,
      leaveFile,
      guard: attachTo(filter),
      leave: () => leave(leaveFile, path),
      removeSoon: () => removeSoon(leaveFile, path),
    };
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
    await removeWhenEmpty(path);
    return undefined;
  }
}

function attachTo(filter: DeviceFilter): DeviceGuard['guard'] {
  return (group, more) => (more.length === 0 ? filter : loadDeviceFilter([...ALLOWED, ...more])).attach(group);
}

async function leave(leaveFile: string, path: string): Promise<void> {
  await promises.writeFile(leaveFile, '0');
  await removeWhenEmpty(path);
}

const REMOVE = `echo 0 > "$1" && for _ in 1 2 3 4 5 6 7 8 9 10; do rmdir "$2" && exit; sleep 0.1; done 2> /dev/null`;

function removeSoon(leaveFile: string, path: string): void {
  try {
    startUnattended(toolPath('sh'), ['-c', REMOVE, 'remove', leaveFile, path], { env: TOOL_ENVIRONMENT });
  } catch {
    // The next build removes the group.
  }
}
