import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baseImage, type BaseImageName, pushBaseImage } from '../../support/base-images.ts';
import { gitlabCiLocal, loadJobImage, makeRepository, offerComponent, runPipeline } from '../../support/gitlab.ts';
import { snippetsOf } from '../../support/page-snippets.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';
import { startTokenRegistry, type TokenRegistry } from '../../support/token-registry.ts';

const auth = { username: 'gitlab-ci-token', password: 's3cret' };
const fixtures = join(import.meta.dirname, '../../../fixtures/contexts');
const image = 'tbuild-job:1';
const { version } = JSON.parse(readFileSync(join(fixtures, '../../packages/cli/package.json'), 'utf8'));
const machine = needs(
  'docker',
  'registry',
  'git',
  'skopeo',
  'rsync',
  'mmdebstrap',
  'qemu-aarch64-static',
  gitlabCiLocal,
);

describe('the pipeline that tbuild gitlab-ci writes', machine, () => {
  let registry: TokenRegistry;
  beforeAll(async () => {
    if (machine.skip === true) return;
    registry = await startTokenRegistry(auth);
    const bases: BaseImageName[] = ['busybox', 'node', 'debian-cross'];
    for (const name of bases)
      await pushBaseImage(name, `${registry.host}/library`, `${auth.username}:${auth.password}`);
    await loadJobImage(image);
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());

  /** Makes a project with a pipeline for its Dockerfile, of a fixture or of files. */
  async function project(from: string | Readonly<Record<string, string>>, ...options: string[]): Promise<string> {
    const directory = scratchDirectory('project');
    if (typeof from === 'string') {
      const context = execFileSync('sh', [join(fixtures, 'prepare.sh'), from], { encoding: 'utf8' }).trim();
      cpSync(context, directory, { recursive: true });
    } else writeFiles(from, directory);
    good(await runTbuild(['gitlab-ci', '--write', '--image', image, ...options], { cwd: directory }));
    await makeRepository(directory);
    return directory;
  }

  function run(repository: string, name: string, progress = 'plain', jobs: readonly string[] = []) {
    const variables = {
      CI_REGISTRY: registry.host,
      CI_REGISTRY_IMAGE: `${registry.host}/team/${name}`,
      CI_JOB_TOKEN: auth.password,
      TBUILD_REGISTRY_MIRRORS: registry.host,
      CI_BUILDS_DIR: '/tmp/builds',
      GITLAB_CI: 'true',
      BUILDKIT_PROGRESS: progress,
    };
    return runPipeline(repository, image, variables, jobs);
  }

  /** Returns the document that a name in the registry refers to. */
  async function inspect(name: string): Promise<{ manifests: { platform?: { architecture: string } }[] }> {
    const credentials = ['--creds', `${auth.username}:${auth.password}`, '--tls-verify=false'];
    const reference = `docker://${registry.host}/team/${name}`;
    return JSON.parse(await runChecked('skopeo', ['inspect', '--raw', ...credentials, reference]));
  }

  test('checks, builds and pushes a Node service, and a fresh runner finds every step in the cache', async () => {
    const repository = await project('node-service');
    good(await run(repository, 'service'));
    expect((await inspect('service:latest')).manifests.length).toBeGreaterThan(1);
    const { stderr } = good(await run(repository, 'service'));
    expect(stderr).toMatch(/#(\d+) \[test 3\/3\] RUN node --test .*\n.*> #\1 CACHED/);
  });

  test('keeps steps and cache mounts in a directory that GitLab caches, which no context has', async () => {
    const dockerfile = (word: string) => `FROM busybox
COPY . /src
RUN ls -A /src
RUN --mount=type=cache,target=/c echo ${word} >> /c/runs; echo runs: $(cat /c/runs)
`;
    const files = { Dockerfile: dockerfile('first'), '.dockerignore': 'Dockerfile\n.git*\n' };
    const repository = await project(files, '--cache', 'directory');
    good(await run(repository, 'directory'));
    writeFiles({ Dockerfile: dockerfile('second') }, repository);
    const { stderr } = good(await run(repository, 'directory'));
    expect(stderr).toMatch(/> #(\d+) \[\S* ?\d\/\d\] RUN ls -A \/src *\n[^]*> #\1 CACHED/);
    expect(stderr).toContain('runs: first second');
  });

  test('compiles a C program for two architectures, and merges the images into one index', async () => {
    const platforms = ['--platform', 'linux/amd64,linux/arm64'];
    const repository = await project('c-program', '--file', 'Dockerfile.cross', ...platforms);
    good(await run(repository, 'tally'));
    const { manifests } = await inspect('tally:latest');
    const pushed = manifests.map(({ platform }) => platform?.architecture);
    expect(pushed).toEqual(expect.arrayContaining(['amd64', 'arm64']));

    const out = scratchDirectory('tally');
    const context = writeFiles({ Dockerfile: `FROM ${registry.host}/team/tally` });
    const env = { CI_REGISTRY: registry.host, CI_JOB_TOKEN: auth.password };
    good(await runTbuild([...platforms, '--output', out, context], { env }));
    const emulators = { linux_amd64: 'qemu-x86_64-static', linux_arm64: 'qemu-aarch64-static' };
    for (const [platform, emulator] of Object.entries(emulators)) {
      const program = join(out, platform, 'bin/tally');
      expect(execFileSync(emulator, [program], { input: 'b a\nb\n', encoding: 'utf8' })).toBe('2 b\n1 a\n');
    }
  });

  test('removes old tags of merge requests, and keeps young caches, in a job to start by hand', async () => {
    const repository = await project({ Dockerfile: 'FROM busybox\nRUN echo made > /made\n' });
    const { stdout } = good(await run(repository, 'cleaned'));
    expect(stdout).not.toContain('Removed');
    const old = ['--dest-tls-verify=false', '--dest-creds', `${auth.username}:${auth.password}`];
    const place = `${registry.host}/team/cleaned`;
    await runChecked('skopeo', ['copy', ...old, `oci:${baseImage('busybox')}:latest`, `docker://${place}:mr-3`]);
    expect(good(await run(repository, 'cleaned', 'plain', ['clean-up'])).stdout).toContain(`Removed ${place}:mr-3\n`);
    await expect(inspect('cleaned:mr-3')).rejects.toThrow('manifest unknown');
    for (const kept of ['cleaned:latest', 'cleaned/cache:build']) await inspect(kept);
  });

  test('builds independent stages in jobs of their own, which hand their steps on', async () => {
    const dockerfile = `FROM busybox AS tool
RUN echo tool > /tool
FROM busybox AS words
RUN echo words > /words
FROM busybox
COPY --from=tool /tool /
COPY --from=words /words /
`;
    const repository = await project({ Dockerfile: dockerfile });
    const { stdout, stderr } = good(await run(repository, 'stages'));
    expect(stdout).toContain('stage tool');
    expect(stdout).toContain('stage words');
    expect(stderr).toMatch(/build +> #(\d+) \[tool 2\/2\] RUN [^]*\nbuild +> #\1 CACHED/);
    expect(stderr).toMatch(/build +> #(\d+) \[words 2\/2\] RUN [^]*\nbuild +> #\1 CACHED/);
  });

  test('builds the targets of a bake file in jobs of their own', async () => {
    const repository = await project({
      'docker-bake.hcl': `group "default" { targets = ["web", "worker"] }
target "base" { context = "base" }
target "web" {
  context = "web"
  contexts = { base = "target:base" }
}
target "worker" { context = "worker" }
`,
      'base/Dockerfile': 'FROM busybox\nRUN echo base > /base\n',
      'web/Dockerfile': 'FROM base\nRUN echo web > /web\n',
      'worker/Dockerfile': 'FROM busybox\nRUN echo worker > /worker\n',
    });
    const { stdout } = good(await run(repository, 'monorepo'));
    expect(stdout).toContain('bake worker');
    for (const name of ['web', 'worker'])
      expect((await inspect(`monorepo/${name}:latest`)).manifests.length).toBeGreaterThan(1);
    const { stderr } = good(await run(repository, 'monorepo'));
    expect(stderr).toMatch(/bake web +> #(\d+) \[web 1\/1] RUN [^]*\n.*bake web +> #\1 CACHED/);
  });

  test('a job whose step failed for want of a server succeeds when it is run again', async () => {
    let requests = 0;
    const server = createServer((_request, response) => response.writeHead(requests++ === 0 ? 503 : 200).end('word'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const dockerfile = `FROM busybox\nRUN echo before > /before\nRUN wget -qO /word http://127.0.0.1:${port}/\n`;
    const repository = await project({ Dockerfile: dockerfile });
    expect((await run(repository, 'again')).exitCode).not.toBe(0);
    good(await run(repository, 'again'));
    expect((await inspect('again:latest')).manifests.length).toBeGreaterThan(1);
    expect(requests).toBe(2);
    server.close();
  });

  test('a step that fails fails the job, and steps are sections', async () => {
    const repository = await project({ Dockerfile: 'FROM busybox\nRUN echo before; exit 3\n' });
    const { exitCode, stderr } = await run(repository, 'broken', 'auto');
    expect(exitCode).not.toBe(0);
    // As gitlab-ci-local prints sections.
    expect(stderr).toMatch(/build +tbuild_\d+_\d+ took /);
    expect(stderr).toContain('exit code: 3');
  });

  test('includes the component, whose jobs build for each architecture and merge', async () => {
    const component = `$CI_SERVER_FQDN/tbuild/tbuild/build@${version}`;
    const source = { context: 'app', dockerfile: 'app/Dockerfile' };
    const include = [{ component, inputs: { image, platforms: ['amd64', 'arm64'], tag: 'v1', ...source } }];
    const repository = writeFiles({
      'app/Dockerfile': 'FROM busybox\nCOPY Dockerfile /\n',
      // YAML contains JSON.
      '.gitlab-ci.yml': JSON.stringify({ include }),
    });
    await makeRepository(repository);
    await offerComponent(repository, version);
    good(await run(repository, 'component'));
    const platforms = (await inspect('component:v1')).manifests.map(({ platform }) => platform?.architecture);
    expect(platforms).toEqual(expect.arrayContaining(['amd64', 'arm64']));
  });
});

describe('GitLab reads the YAML of', machine, () => {
  const yaml = ['ci.md', 'gitlab.md', 'coming-from.md'].flatMap((page) => snippetsOf(page, 'yaml'));
  // What is indented is a part of a job.
  const whole = yaml.filter(({ text }) => /^\S/.test(text));
  const named = whole.map(({ page, heading, text }) => [page, heading, text] as const);

  test.each(named)('docs/%s, "%s"', async (_page, _heading, text) => {
    const repository = writeFiles({ '.gitlab-ci.yml': text });
    await makeRepository(repository);
    if (text.includes('component:')) await offerComponent(repository, version);
    const { stdout } = good(await runPipeline(repository, image, {}, ['--list']));
    expect(stdout.trim().split('\n').length).toBeGreaterThan(1);
  });
});
