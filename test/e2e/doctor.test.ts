import { accessSync, constants } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builders } from '../support/builders.ts';
import { hasProgram } from '../support/requirements.ts';
import { buildInline, runTbuild } from '../support/tbuild.ts';

describe.each(builders)('tbuild doctor for $who', ({ asUser }) => {
  test('says how steps are contained, and how to get what is missing', async () => {
    const { exitCode, stdout } = await runTbuild(['doctor', '--format', 'json'], { asUser });
    const found: { name: string; state: string; detail: string; fix?: string }[] = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(found[0]).toMatchObject({
      name: 'isolation of RUN',
      state: 'good',
      detail: expect.stringMatching(/^namespace/),
    });
    expect(found.map(({ name }) => name)).toContain('pasta');
    expect(found.filter(({ state, fix }) => state !== 'good' && fix === undefined)).toEqual([]);
  });

  test('prints a line for each, as text', async () => {
    const { stdout } = await runTbuild(['doctor'], { asUser });
    expect(stdout).toMatch(/^good +isolation of RUN +namespace/);
    expect(stdout).toMatch(/^(good|limited|missing) +overlay /m);
  });
});

test.skipIf(!hasProgram('pasta') || !canOpenTun())('devices that steps may not open are found', async () => {
  const { stdout } = await runTbuild(['doctor']);
  expect(stdout).toMatch(/^good +pasta /m);
});

function canOpenTun(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

test('an isolation that does not exist is a mistake of usage', async () => {
  const build = await buildInline({ Dockerfile: 'FROM busybox\n' }, { args: ['--isolation', 'hyperv'] });
  expect(build).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('is none of auto, namespace, oci, chroot'),
  });
});
