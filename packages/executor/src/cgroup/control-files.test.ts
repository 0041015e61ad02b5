import { expect, test } from 'vitest';
import type { Resources } from '../executor.ts';
import { controlFiles, CONTROLLERS } from './control-files.ts';

const cases: readonly (readonly [Resources, v1: Record<string, string>, v2: Record<string, string>])[] = [
  [{}, {}, {}],
  [
    { memory: 100, memorySwap: 150 },
    { 'memory.limit_in_bytes': '100', 'memory.memsw.limit_in_bytes': '150' },
    { 'memory.max': '100', 'memory.swap.max': '50' },
  ],
  [{ memorySwap: -1 }, { 'memory.memsw.limit_in_bytes': '-1' }, { 'memory.swap.max': 'max' }],
  [
    { cpuPeriod: 50_000, cpuQuota: 75_000 },
    { 'cpu.cfs_period_us': '50000', 'cpu.cfs_quota_us': '75000' },
    { 'cpu.max': '75000 50000' },
  ],
  [{ cpuQuota: 10_000 }, { 'cpu.cfs_quota_us': '10000' }, { 'cpu.max': '10000 100000' }],
  [{ cpuShares: 1024 }, { 'cpu.shares': '1024' }, { 'cpu.weight': '39' }],
  [{ cpuShares: 262_144 }, { 'cpu.shares': '262144' }, { 'cpu.weight': '10000' }],
  [
    { cpusetCpus: '0,2-3', cpusetMems: '0', pids: 7 },
    { 'cpuset.cpus': '0,2-3', 'cpuset.mems': '0', 'pids.max': '7' },
    { 'cpuset.cpus': '0,2-3', 'cpuset.mems': '0', 'pids.max': '7' },
  ],
];

test.each(cases)('controlFiles sets the limits %j for both cgroup versions', (resources, v1, v2) => {
  const files = (version: 1 | 2) =>
    Object.fromEntries(CONTROLLERS.flatMap((controller) => controlFiles(controller, version, resources)));
  expect(files(1)).toEqual(v1);
  expect(files(2)).toEqual(v2);
});
