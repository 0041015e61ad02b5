import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoName } from '@tbuild/errors';
import { type DeviceFilter, loadDeviceFilter } from '@tbuild/linux';
import { DEVICES } from '../devices.ts';
import { canEnter } from './can-enter.ts';
import type { Hierarchy } from './hierarchies.ts';
import { GROUP_PREFIX, removeAbandoned, removeEmptied } from './remove-groups.ts';
import type { StepCgroup } from './step-cgroup.ts';

/** Keeps a step from all devices but its own. */
export interface DeviceGuard {
  /** The file by which a process enters its group, unless it is that of the step's limits. */
  readonly entrances: readonly string[];
  /** To be called when all processes are gone. */
  remove(): Promise<void>;
}

/** /dev/ptmx, and the terminals in /dev/pts. */
const TERMINALS = [{ major: 5, minor: 2 }, { major: 136 }];

let filter: DeviceFilter | undefined;

/**
 * The filter that Docker has on devices: root may make nodes of them, and a base image can have brought some, but only those of a
 * step's /dev can be opened. Undefined where this machine or this user cannot have it.
 */
export function makeDeviceGuard(
  name: string,
  hierarchies: readonly Hierarchy[],
  limits: StepCgroup | undefined,
): DeviceGuard | undefined {
  const hierarchy = hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return undefined;
  const limited = limits?.groupIn(hierarchy);
  // Below our own group, whose limits then hold.
  const path = limited ?? join(hierarchy.own, GROUP_PREFIX + name);
  try {
    if (limited === undefined) mkdirSync(path);
    filter ??= loadDeviceFilter([...DEVICES, ...TERMINALS]);
    filter.attach(path);
    if (limited !== undefined) return { entrances: [], remove: async () => {} };
    removeAbandoned(path);
    if (canEnter(path)) return { entrances: [`${path}/cgroup.procs`], remove: () => removeEmptied(path) };
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
  if (limited === undefined) void removeEmptied(path);
  return undefined;
}
