import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { isRoot, needs } from '../../../../test/support/requirements.ts';
import { enterDeviceGuard, leaveDeviceGuard, removeDeviceGuardSoon } from './device-guard.ts';
import { readHierarchies } from './hierarchies.ts';
import { ownGroup, removeWhenEmpty } from './remove-groups.ts';

const before = readHierarchies().find(({ version }) => version === 2)?.own ?? '';
const canGuard = { met: isRoot && before !== '', lacks: 'root with cgroup v2' };
const ownPath = (): string => /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '';

describe('the group of the device filter', needs(canGuard), () => {
  afterEach(leaveDeviceGuard);

  test('is the same for two executors of one process, one after the other', async () => {
    expect(await enterDeviceGuard()).toBeDefined();
    const path = ownPath();
    await removeDeviceGuardSoon();
    await enterDeviceGuard();
    expect(ownPath()).toBe(path);
  });

  test('that a killed build left, with a group of a build in its step, is removed by the next build', async () => {
    // No process has such an id.
    const left = join(before, 'tbuild-steps-99999999');
    mkdirSync(join(left, 'tbuild-steps-88888888/tbuild-steps-7'), { recursive: true });
    // Younger groups may belong to a build in another container.
    await sleep(600);
    await enterDeviceGuard();
    expect(ownPath()).toContain(ownGroup());
    expect(existsSync(left)).toBe(false);
  });

  test('that looks left keeps the new group of a build in its step while a process is in it', async () => {
    const left = join(before, 'tbuild-steps-99999998');
    const inStep = join(left, 'tbuild-steps-8');
    mkdirSync(inStep, { recursive: true });
    const step = spawn('sleep', ['60']);
    try {
      writeFileSync(join(left, 'cgroup.procs'), String(step.pid));
      await sleep(600);
      await enterDeviceGuard();
      expect(existsSync(inStep)).toBe(true);
    } finally {
      step.kill();
      await once(step, 'exit');
      await removeWhenEmpty(inStep);
      await removeWhenEmpty(left);
    }
  });
});
