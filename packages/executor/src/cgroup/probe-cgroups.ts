import { hasCode, type TbuildError } from '@tbuild/errors';
import { leaveDeviceGuard } from './device-guard.ts';
import { makeStepGroups } from './step-groups.ts';

/** What control groups can do for steps on this machine. */
export interface CgroupFeatures {
  /** Why steps cannot be limited; undefined if they can. */
  readonly limitObstacle?: TbuildError;
  /** Whether a filter keeps steps of real root from the machine's devices. */
  readonly filtersDevices: boolean;
}

/** Tries it: creates the groups of a step with limits and, for real root, the device filter. */
export async function probeCgroups({ isRealRoot }: { readonly isRealRoot: boolean }): Promise<CgroupFeatures> {
  const name = `probe-${process.pid}`;
  try {
    await using filtered = await makeStepGroups(name, { security: 'sandbox' }, { guardsDevices: isRealRoot });
    const filtersDevices = isRealRoot && !filtered.needsNodev;
    try {
      const limited = { security: 'sandbox', resources: { memory: 2 ** 30, cpuQuota: 100_000, pids: 1000 } } as const;
      await using _groups = await makeStepGroups(name, limited, { guardsDevices: isRealRoot });
      return { filtersDevices };
    } catch (error) {
      if (!hasCode(error, 'UNSUPPORTED')) throw error;
      return { filtersDevices, limitObstacle: error };
    }
  } finally {
    await leaveDeviceGuard();
  }
}
