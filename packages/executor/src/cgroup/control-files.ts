import { readFileSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import type { Resources } from '../executor.ts';

/** A controller that limits a resource of a control group. */
export type Controller = 'memory' | 'cpu' | 'cpuset' | 'pids';

export const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'cpuset', 'pids'];

/** Returns the files of a group that set these limits, with their values in order; none without a limit. */
export function controlFiles(
  controller: Controller,
  version: 1 | 2,
  resources: Resources,
): readonly (readonly [file: string, value: string])[] {
  const files = version === 1 ? V1_FILES[controller](resources) : V2_FILES[controller](resources);
  return files.flatMap(([file, value]) => (value === undefined ? [] : [[file, String(value)]]));
}

type Files = (resources: Resources) => readonly (readonly [file: string, value: string | number | undefined])[];

const V1_FILES: Readonly<Record<Controller, Files>> = {
  memory: ({ memory, memorySwap }) => [
    ['memory.limit_in_bytes', memory],
    ['memory.memsw.limit_in_bytes', memorySwap],
  ],
  cpu: ({ cpuShares, cpuPeriod, cpuQuota }) => [
    ['cpu.shares', cpuShares],
    ['cpu.cfs_period_us', cpuPeriod],
    ['cpu.cfs_quota_us', cpuQuota],
  ],
  cpuset: cpusetFiles,
  pids: ({ pids }) => [['pids.max', pids]],
};

const V2_FILES: Readonly<Record<Controller, Files>> = {
  memory: ({ memory, memorySwap }) => [
    ['memory.max', memory],
    ['memory.swap.max', memorySwap === undefined ? undefined : memorySwap < 0 ? 'max' : memorySwap - (memory ?? 0)],
  ],
  cpu: ({ cpuShares, cpuPeriod, cpuQuota }) => [
    ['cpu.weight', cpuShares === undefined ? undefined : weightOf(cpuShares)],
    [
      'cpu.max',
      cpuQuota === undefined && cpuPeriod === undefined ? undefined : `${cpuQuota ?? 'max'} ${cpuPeriod ?? 100_000}`,
    ],
  ],
  cpuset: cpusetFiles,
  pids: ({ pids }) => [['pids.max', pids]],
};

function cpusetFiles({ cpusetCpus, cpusetMems }: Resources): ReturnType<Files> {
  return [
    ['cpuset.cpus', cpusetCpus],
    ['cpuset.mems', cpusetMems],
  ];
}

/** Converts shares of 2 to 262144 to weights of 1 to 10000, as runtimes do. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((Math.max(shares, 2) - 2) * 9999) / 262_142);
}

/** Returns the number of processes of a group that the kernel killed for lack of memory. */
export function countMemoryKills(directory: string, version: 1 | 2): number {
  const text = readOptional(`${directory}/${version === 1 ? 'memory.oom_control' : 'memory.events'}`);
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Returns the most memory in bytes that a group has used, unless the kernel does not count it. */
export function readPeak(directory: string, version: 1 | 2): number | undefined {
  const text = readOptional(`${directory}/${version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak'}`);
  return text === '' ? undefined : Number(text);
}

/** Reports whether a group has processes; for one of cgroup v2, also whether a group below it has. */
export function hasProcesses(directory: string): boolean {
  return (
    /^populated 1$/m.test(readOptional(`${directory}/cgroup.events`)) ||
    readOptional(`${directory}/cgroup.procs`) !== ''
  );
}

/** Returns the controllers that a cgroup v2 group can enable for its children. */
export function readControllers(directory: string): readonly string[] {
  return readOptional(`${directory}/cgroup.controllers`).trim().split(' ').filter(Boolean);
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The second: the group was removed after its file was opened.
    if (errnoName(error) === 'ENOENT' || errnoName(error) === 'ENODEV') return '';
    throw error;
  }
}
