import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { bakeDirectory, runBake } from '../../support/bake.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { statusOf } from '../../support/plain-progress.ts';

test('a target is exported while the steps of another one run, and stays when these are interrupted', async () => {
  const marker = `53${Math.floor(Math.random() * 1e6)}`;
  const directory = bakeDirectory({
    'docker-bake.hcl': `group "default" { targets = ["slow", "quick"] }
target "slow" { context = "slow" }
target "quick" {
  context = "quick"
  output  = ["type=local,dest=out"]
}
`,
    'slow/Dockerfile': `FROM busybox\nRUN sleep ${marker}\n`,
    'quick/Dockerfile': 'FROM scratch\nCOPY file /\n',
    'quick/file': 'quick',
  });
  let interrupted: Promise<void> | undefined;
  const bake = await runBake(directory, [], {
    onStart(child) {
      const isExported = (): void => {
        expect(readFileSync(join(directory, 'out/file'), 'utf8')).toBe('quick');
        expect(processesNaming(`sleep\0${marker}`)).not.toEqual([]);
      };
      interrupted = vi.waitFor(isExported, patiently).then(() => void child.kill('SIGINT'));
    },
  });
  await interrupted;
  expect(bake.exitCode).toBe(130);
  expect(statusOf(bake.stderr, `sleep ${marker}`)).toBe('canceled');
  expect(readFileSync(join(directory, 'out/file'), 'utf8')).toBe('quick');
});

test('an export that fails ends the steps of other targets, with one report', async () => {
  const bake = await runBake(
    bakeDirectory({
      'docker-bake.hcl': `group "default" { targets = ["slow", "bad"] }
target "slow" { context = "slow" }
target "bad" {
  context = "bad"
  tags    = ["localhost:1/nobody/listens:1"]
  output  = ["type=registry"]
}
`,
      'slow/Dockerfile': 'FROM busybox\nRUN sleep 100000\n',
      'bad/Dockerfile': 'FROM scratch\nCOPY Dockerfile /\n',
    }),
  );
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr.match(/^ERROR: /gm)).toHaveLength(1);
  expect(bake.stderr).toMatch(/^ERROR: .*localhost:1/m);
});
