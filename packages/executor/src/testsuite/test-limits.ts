import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { cgroups, type ExecutorSuite } from './test-suite-context.ts';

/** Tests the limits of control groups. */
export function defineLimitTests(suite: ExecutorSuite): void {
  const { flavour, isolated, run, testWhen, realRootTest } = suite;

  realRootTest('kills a step at its memory limit and reports it', async () => {
    const script = 'head -c 100000000 /dev/zero | tail -c 100000000 > /dev/null; exit $?';
    const { exitCode, memory } = await run(script, { resources: { memory: 16 << 20 } });
    expect({ exitCode, ...memory }).toMatchObject({ exitCode: 137, reachedLimit: true, machineRanOut: true });
    // Where the kernel counts the peak, that is the limit.
    expect(memory.peak ?? 16 << 20).toBeGreaterThan(15 << 20);
    expect(memory.peak ?? 0).toBeLessThanOrEqual(16 << 20);
    expect((await run('true', { resources: { memory: 16 << 20 } })).memory.reachedLimit).toBe(false);
  });

  testWhen(isolated && flavour !== 'user', cgroups)('shows the limits where programs look for them', async () => {
    const { stdout } = await run('cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes 2> /dev/null', {
      resources: { memory: 64 << 20 },
    });
    expect(Number(stdout)).toBe(64 << 20);
    expect((await run('mkdir /sys/fs/cgroup/x /sys/fs/cgroup/memory/x 2> /dev/null && echo made')).stdout).toBe('');
  });

  testWhen(isolated, { met: isUnified, lacks: 'cgroup v2' })(
    'places the step at the root of its control groups',
    async () => {
      expect((await run('cat /proc/self/cgroup')).stdout).toBe('0::/\n');
    },
  );

  realRootTest('limits the number of processes, also for root', async () => {
    const script = 'i=0; while [ $i -lt 50 ]; do sleep 5 & i=$((i+1)); done';
    const { exitCode, stderr } = await run(script, { resources: { pids: 20 } });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('fork');
  });

  realRootTest('removes control groups, also after an abort', async () => {
    const cgroupParent = `/tbuild-suite-${basename(suite.directory)}/inner`;
    const controller = new AbortController();
    let groups: string[] = [];
    const onOutput = () => {
      groups = groupDirectories(cgroupParent).flatMap((path) => readdirSync(path));
      controller.abort();
    };
    const options = { cgroupParent, resources: { memory: 64 << 20 }, signal: controller.signal, onOutput };
    await expect(run('echo begun; sleep 20', options)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(groups).toContainEqual(expect.stringMatching(/^tbuild-/));
    expect(groupDirectories(dirname(cgroupParent))).toEqual([]);
  });

  realRootTest('reports a limit that cannot be set', async () => {
    await expect(run('true', { resources: { cpusetCpus: '4095' } })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('cannot write "4095" to'),
    });
  });
}

/** Whether cgroup v2 is the only version. */
const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** Returns the directories of a control group in every hierarchy. */
function groupDirectories(path: string): string[] {
  const hierarchies = ['.', ...readdirSync('/sys/fs/cgroup')];
  return hierarchies.map((name) => join('/sys/fs/cgroup', name, path)).filter(existsSync);
}
