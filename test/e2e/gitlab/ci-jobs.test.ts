// oxlint-disable no-control-regex -- the log of a job is about control characters
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushBaseImage } from '../../support/base-images.ts';
import { clone, cloneMounts, type RunInContainer, startDockerContainers } from '../../support/containers.ts';
import { startRegistry, type Registry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { writeFiles } from '../../support/tbuild.ts';

const auth = { username: 'gitlab-ci-token', password: 's3cret' };

/** Returns the commands of a job in the last YAML below a heading that has the job. */
function commandsOf(page: string, heading: string, job: string): string[] {
  const text = readFileSync(join(clone.repository, 'docs', page), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
  const bodies = blocks.flatMap((yaml) => yaml.split(/^(?=\w)/m)).filter((part) => part.startsWith(`${job}:`));
  const script = /^ {2}script:\n((?: {4}.*\n)+)/m.exec(bodies.at(-1) ?? '')?.[1] ?? '';
  return script
    .replace(/\n {6}/g, ' ')
    .split('\n')
    .flatMap((line) => /^ {4}- (.*)$/.exec(line)?.[1] ?? []);
}

describe(
  "the GitLab jobs of the documentation, in a container with Docker's defaults:",
  needs('docker', 'registry'),
  () => {
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
        CI_COMMIT_TAG: 'v1',
        CI_PROJECT_DIR: '/project',
        CI_PROJECT_URL: 'https://gitlab.example/team/app',
        CI_COMMIT_SHA: '1ecfd275763eff1d6b4844ea3168962458c9f27a',
        TBUILD_ROOT: '/builds/tbuild-store',
        ...variables,
      };
      const options = Object.entries(job).map(([name, value]) => `--env=${name}=${value}`);
      const mounts = [...cloneMounts(), `--volume=${project}:/project`, '--volume=/builds'];
      const script = `cd /project && PATH=$PATH:${clone.repository}/packages/cli/bin && set -e\n${commands.join('\n')}`;
      return run([...mounts, ...options], ['sh', '-c', `exec 2>&1; ${script}`]);
    }

    test('the second job of a project finds every step in the cache of the first', async () => {
      const commands = commandsOf('ci.md', 'GitLab: build and push', 'build');
      const dockerfile = `FROM ${base}\nRUN echo slow > /made\nCOPY app.txt /\n`;
      expect(await runJob(commands, dockerfile)).toMatch(/RUN echo slow > \/made \d+\.\ds\b/);
      expect(await runJob(commands, dockerfile)).toContain('RUN echo slow > /made CACHED');
    });

    test('images of two architectures are merged into one index', async () => {
      const heading = 'GitLab: several architectures';
      const dockerfile = `FROM ${base}\nCOPY app.txt /\n`;
      for (const ARCH of ['amd64', 'arm64']) await runJob(commandsOf('ci.md', heading, 'build'), dockerfile, { ARCH });
      const inspect = 'tbuild imagetools inspect "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"';
      const output = await runJob([...commandsOf('ci.md', heading, 'merge'), inspect], dockerfile);
      for (const arch of ['amd64', 'arm64']) expect(output).toContain(`linux/${arch}`);
    });

    test('a check with a warning fails the job', async () => {
      const commands = commandsOf('ci.md', 'Checks without a build', 'check');
      await expect(runJob(commands, 'FROM scratch\nCOPY app.txt /\n')).resolves.toContain('Check complete');
      await expect(runJob(commands, 'from scratch\nCOPY app.txt /\n')).rejects.toThrow('ConsistentInstructionCasing');
    });

    const pushing: [page: string, heading: string, tag: string][] = [
      ['gitlab.md', 'One job', '1ecfd275'],
      ['coming-from.md', 'From kaniko', 'v1'],
      ['coming-from.md', 'From docker-in-docker', '1ecfd275'],
      ['coming-from.md', 'From Buildah', '1ecfd275'],
      ['coming-from.md', 'From buildx', '1ecfd275'],
    ];
    test.each(pushing)('%s, "%s": the job pushes its image', async (page, heading, tag) => {
      const dockerfile = `FROM ${base}\nRUN echo ${heading.length} > /made\n`;
      const name = `${registry.host}/team/${heading.toLowerCase().replaceAll(' ', '-')}`;
      const inspect = `tbuild imagetools inspect "$CI_REGISTRY_IMAGE:${tag}"`;
      const commands = [...commandsOf(page, heading, 'build'), inspect];
      expect(commands.length).toBeGreaterThan(1);
      expect(await runJob(commands, dockerfile, { CI_REGISTRY_IMAGE: name })).toContain(`Name:      ${name}:${tag}`);
    });

    test('gitlab.md, "Reports": the image is labelled, and a later job gets its names', async () => {
      const show = [
        'cat build.env',
        'tbuild inspect --format \'{{json .Config.Labels}}\' "$CI_REGISTRY_IMAGE:$CI_COMMIT_SHORT_SHA"',
      ];
      const output = await runJob(
        [...commandsOf('gitlab.md', 'Reports', 'build'), ...show],
        `FROM ${base}\nCOPY app.txt /\n`,
      );
      expect(output).toContain(`TBUILD_IMAGE=${registry.host}/team/app:1ecfd275\n`);
      expect(output).toMatch(/^TBUILD_REFERENCE=\S+\/team\/app@sha256:[0-9a-f]{64}$/m);
      expect(output).toContain('"org.opencontainers.image.source":"https://gitlab.example/team/app"');
      expect(output).toContain('"org.opencontainers.image.version":"v1"');
    });

    test('gitlab.md, "Reports": the dependencies of the image are listed', async () => {
      const commands = [...commandsOf('gitlab.md', 'Reports', 'listed'), 'echo; cat gl-sbom.cdx.json'];
      const output = await runJob(commands, `FROM ${base}\nCOPY app.txt /\n`);
      const document = JSON.parse(output.slice(output.indexOf('\n{\n')));
      expect(document).toMatchObject({ bomFormat: 'CycloneDX' });
    });

    test('gitlab.md, "Reports": a check writes code quality that names the line', async () => {
      const commands = commandsOf('gitlab.md', 'Reports', 'check').map((command) => `${command} || true`);
      const output = await runJob([...commands, 'cat gl-code-quality-report.json'], `FROM ${base}\nENV a b\n`);
      const [issue] = JSON.parse(output.slice(output.indexOf('[\n')));
      expect(issue).toMatchObject({
        check_name: 'LegacyKeyValueFormat',
        location: { path: 'Dockerfile', lines: { begin: 2 } },
      });
    });

    test('a step that went well is a collapsed section, and the failed one is open', async () => {
      const dockerfile = `FROM ${base}\nRUN echo good\nRUN echo bad; exit 3\n`;
      const output = await runJob(['tbuild . || true'], dockerfile);
      expect(output).toMatch(/\x1b\[0Ksection_start:\d+:tbuild_\d+_(\d+)\[collapsed=true\]\r\x1b\[0K.*RUN echo good/);
      expect(output).toMatch(/\x1b\[0Ksection_start:\d+:tbuild_\d+_(\d+)\r\x1b\[0K.*RUN echo bad.*ERROR/);
      // Nothing else moves the cursor.
      expect(output.replaceAll(/\x1b\[0Ksection_[^\r]*\r\x1b\[0K/g, '')).not.toContain('\r');
    });
  },
);
