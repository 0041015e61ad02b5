import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { clone, cloneMounts, type RunInContainer, startDockerContainers } from '../../support/containers.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { writeFiles } from '../../support/tbuild.ts';

const auth = { username: 'gitlab-ci-token', password: 's3cret' };

/** The commands of the jobs of `docs/ci.md`, by the heading above them and the job's name. */
function commandsOf(heading: string, job: string): string[] {
  const page = readFileSync(join(clone.repository, 'docs/ci.md'), 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const yaml = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const body = yaml.split(/^(?=\w)/m).find((part) => part.startsWith(`${job}:`)) ?? '';
  const script = /^ {2}script:\n((?: {4}.*\n)+)/m.exec(body)?.[1] ?? '';
  return script
    .replace(/\n {6}/g, ' ')
    .split('\n')
    .flatMap((line) => /^ {4}- (.*)$/.exec(line)?.[1] ?? []);
}

describe("the GitLab jobs of docs/ci.md, in a container with Docker's defaults:", needs('docker', 'registry'), () => {
  let run: RunInContainer;
  let registry: Registry;
  let base: string;
  beforeAll(async () => {
    if (needs('docker', 'registry').skip === true) return;
    run = await startDockerContainers();
    registry = await startRegistry({ auth });
    base = await pushBaseImage('busybox', registry.host, `${auth.username}:${auth.password}`);
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());

  /** Runs the commands of a job in a checkout with the variables of a job, as a runner does. */
  function runJob(
    commands: readonly string[],
    dockerfile: string,
    variables: Record<string, string> = {},
  ): Promise<string> {
    expect(commands.length).toBeGreaterThan(0);
    const project = writeFiles({ Dockerfile: dockerfile, 'app.txt': 'app\n' });
    const job = {
      GITLAB_CI: 'true',
      CI_REGISTRY: registry.host,
      CI_JOB_TOKEN: auth.password,
      CI_REGISTRY_IMAGE: `${registry.host}/team/app`,
      CI_COMMIT_SHORT_SHA: '1ecfd275',
      TBUILD_ROOT: '/builds/tbuild-store',
      ...variables,
    };
    const options = Object.entries(job).map(([name, value]) => `--env=${name}=${value}`);
    const mounts = [...cloneMounts(), `--volume=${project}:/project:ro`, '--volume=/builds'];
    const script = `cd /project && PATH=$PATH:${clone.repository}/packages/cli/bin && set -e\n${commands.join('\n')}`;
    return run([...mounts, ...options], ['sh', '-c', `exec 2>&1; ${script}`]);
  }

  test('the second job of a project finds every step in the cache of the first', async () => {
    const commands = commandsOf('GitLab: build and push', 'build');
    const dockerfile = `FROM ${base}\nRUN echo slow > /made\nCOPY app.txt /\n`;
    expect(await runJob(commands, dockerfile)).toMatch(/RUN echo slow > \/made\n(?:.*\n)*?#\d+ DONE/);
    expect(await runJob(commands, dockerfile)).toMatch(/^#(\d+) .*RUN echo slow > \/made\n(?:.*\n)*?#\1 CACHED/m);
  });

  test('images of two architectures are merged into one index', async () => {
    const heading = 'GitLab: several architectures';
    const dockerfile = `FROM ${base}\nCOPY app.txt /\n`;
    for (const ARCH of ['amd64', 'arm64']) await runJob(commandsOf(heading, 'build'), dockerfile, { ARCH });
    const inspect = 'tbuild imagetools inspect "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"';
    const output = await runJob([...commandsOf(heading, 'merge'), inspect], dockerfile);
    for (const arch of ['amd64', 'arm64']) expect(output).toContain(`linux/${arch}`);
  });

  test('a check with a warning fails the job', async () => {
    const commands = commandsOf('Checks without a build', 'check');
    await expect(runJob(commands, 'FROM scratch\nCOPY app.txt /\n')).resolves.toContain('Check complete');
    await expect(runJob(commands, 'from scratch\nCOPY app.txt /\n')).rejects.toThrow('ConsistentInstructionCasing');
  });
});
