import { probeCgroups } from '@tbuild/executor';
import type { Environment } from '../config/environment.ts';
import type { Finding } from './finding.ts';

/** Finds whether steps can be limited, and what keeps steps of real root from the machine's devices. */
export async function controlGroups(env: Environment, verdict: string | undefined): Promise<readonly Finding[]> {
  // Without mounts, no step can make a device node.
  const isRealRoot = env.uid === 0 && !env.inUserNamespace && verdict === undefined;
  const { limitObstacle, filtersDevices } = await probeCgroups({ isRealRoot });
  return [limits(limitObstacle), ...(isRealRoot ? [devices(filtersDevices)] : [])];
}

function limits(obstacle: { readonly message: string; readonly hint?: string } | undefined): Finding {
  const name = 'limits of RUN';
  if (obstacle === undefined)
    return { name, state: 'good', detail: '--resource and --cgroup-parent, by control groups that tbuild makes' };
  const detail = `${obstacle.message}, so that --resource and --cgroup-parent cannot be used`;
  return { name, state: 'limited', detail, fix: obstacle.hint };
}

function devices(areFiltered: boolean): Finding {
  const name = 'devices of RUN';
  if (areFiltered)
    return { name, state: 'good', detail: 'steps open those of their own /dev only, kept by a filter as in Docker' };
  return {
    name,
    state: 'limited',
    detail: 'no filter can keep steps from them: device nodes that a step or an image makes do not work at all',
    fix: 'Mount cgroup v2 so that it can be written to: mount -t cgroup2 none /sys/fs/cgroup (or /sys/fs/cgroup/unified)',
  };
}
