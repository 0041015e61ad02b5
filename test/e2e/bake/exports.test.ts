import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { bakeDirectory, runBake } from '../../support/bake.ts';
import { startGate } from '../../support/gate.ts';
import { processesNaming } from '../../support/leftovers.ts';
import { patiently } from '../../support/patience.ts';
import { statusOf, stepsIn } from '../../support/plain-progress.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';

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

test('a step that fails does not abort the packing of a layer that the export of another target waits for', async () => {
  await using gate = await startGate();
  const directory = bakeDirectory({
    'docker-bake.hcl': `group "default" { targets = ["bad", "large"] }
target "bad" {
  context      = "bad"
  network      = "host"
  entitlements = ["network.host"]
}
target "large" {
  context = "large"
  output  = ["type=oci,dest=large.tar"]
}
`,
    'bad/Dockerfile': `FROM busybox\nRUN ${gate.wait('bad')}; exit 3\n`,
    'large/Dockerfile': 'FROM busybox\nRUN yes | head -c 200000000 > /large\n',
  });
  const bake = await runBake(directory, ['--allow', 'network.host'], {
    onStart(child) {
      let output = '';
      child.stderr?.on('data', (chunk) => {
        output += String(chunk);
        if (stepsIn(output).get('[large 2/2] RUN yes | head -c 200000000 > /large') === 'done') gate.open('bad');
      });
    },
  });
  expect(bake.exitCode).toBe(1);
  expect(bake.stderr).toContain('did not complete successfully: exit code: 3');
  expect(existsSync(join(directory, 'large.tar'))).toBe(true);
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

describe('a full disk', needs('root', 'unshare'), () => {
  test('of the store fails a bake with its name and the way to free space', async () => {
    const directory = bakeDirectory({
      'docker-bake.hcl': 'target "default" {}\n',
      Dockerfile: 'FROM scratch\nCOPY large /\n',
      large: 'x'.repeat(8_000_000),
    });
    const store = scratchDirectory('store');
    const mounted = 'mount -t tmpfs -o size=4m tmpfs "$1" && cd "$2" && exec "$3" bake --root "$1"';
    const args = ['--mount', 'sh', '-c', mounted, 'sh', store, directory, program];
    const { exitCode, stderr } = await runProcess('unshare', args, { env: { HOME: scratchDirectory('home') } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`hint: [^\n]*${store}[^\n]*`));
    expect(stderr).toMatch(/hint: .*tbuild prune/);
  });
});

test('--dotenv-file names the image and the digest of each target, and leaves out those without an image', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl': `group "default" { targets = ["web-app", "files"] }
target "web-app" { tags = ["example.com/team/web:1"] }
target "files" { output = ["type=cacheonly"] }
`,
    Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
  });
  const bake = await runBake(directory, ['--dotenv-file', 'build.env']);
  const digest = bake.metadata()['web-app']?.['containerimage.digest'];
  expect(readFileSync(join(directory, 'build.env'), 'utf8').split('\n')).toEqual([
    'TBUILD_IMAGE_WEB_APP=example.com/team/web:1',
    `TBUILD_REFERENCE_WEB_APP=example.com/team/web@${digest}`,
    `TBUILD_DIGEST_WEB_APP=${digest}`,
    '',
  ]);
});

test('--dotenv-file refuses two targets whose variables have the same names', async () => {
  const directory = bakeDirectory({
    'docker-bake.hcl': 'group "default" { targets = ["a-b", "a_b"] }\ntarget "a-b" {}\ntarget "a_b" {}\n',
    Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n',
  });
  const { exitCode, stderr } = await runBake(directory, ['--dotenv-file', 'build.env']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Targets "a-b" and "a_b" would both be TBUILD_IMAGE_A_B of --dotenv-file');
});
