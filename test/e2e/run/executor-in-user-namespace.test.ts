import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { userDirectory } from '../../support/tbuild.ts';
import { ordinaryUser } from '../../support/user.ts';

const repository = join(import.meta.dirname, '../../..');

describe('an ordinary user in a user namespace', needs('user'), () => {
  test("the executors' suites pass", async () => {
    const { name } = ordinaryUser();
    const directory = userDirectory('suite');
    const namespace = ['unshare', '--user', '--map-root-user', '--map-auto', '--mount', '--propagation', 'slave'];
    const suites = ['namespace/namespace', 'oci/', 'materialised', 'machine/probe'].map(
      (suite) => `packages/executor/src/${suite}`,
    );
    const vitest = [
      join(repository, 'node_modules/.bin/vitest'),
      'run',
      '--configLoader',
      'runner',
      '--reporter',
      'dot',
    ];
    const { exitCode, stdout, stderr } = await runProcess(
      'setpriv',
      ['--reuid', name, '--regid', name, '--init-groups', ...namespace, ...vitest, ...suites],
      {
        cwd: repository,
        env: { HOME: directory, TMPDIR: directory, TBUILD_IN_USERNS: '1' },
      },
    );
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  });
});
