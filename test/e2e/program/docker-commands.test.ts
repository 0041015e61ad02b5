import { expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const tbuild = async (...words: string[]) => good(await runTbuild(words));

test.each([
  ['buildx', 'build'],
  ['builder', 'build'],
  ['image', 'build'],
])('tbuild %s %s builds', async (...words) => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY Dockerfile /\n' });
  const { stdout } = await tbuild(...words, '-q', ...baseImageArguments(), context);
  expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
});

test('the set-up of a builder that CI jobs begin with is accepted, with one line each', async () => {
  const line = expect.stringMatching(/^tbuild needs no builders: [^\n]+\n$/);
  const create = ['create', '--use', '--name', 'ci', '--driver', 'docker-container', '--driver-opt', 'network=host'];
  expect(await tbuild('buildx', ...create)).toMatchObject({ stdout: 'ci\n', stderr: line });
  expect(await tbuild('buildx', 'create')).toMatchObject({ stdout: 'default\n', stderr: line });
  expect(await tbuild('buildx', 'use', 'ci')).toMatchObject({ stdout: '', stderr: line });
  const inspected = await tbuild('buildx', 'inspect', 'ci', '--bootstrap');
  expect(inspected.stdout).toMatch(/^Name: +ci\n[^]*Platforms: +linux\//);
  expect((await tbuild('buildx', 'ls')).stdout).toMatch(/^NAME\/NODE +DRIVER\/ENDPOINT [^\n]*\ndefault\* +tbuild/);
  expect(await tbuild('buildx', 'stop', 'ci')).toMatchObject({ stdout: '', stderr: line });
  expect(await tbuild('buildx', 'rm', '--force', 'ci')).toMatchObject({ stdout: '', stderr: line });
  expect((await tbuild('buildx', 'version')).stdout).toMatch(/^tbuild /);
});

test('buildx takes its short names, a builder before the command, and a format of its list', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const id = /^sha256:[0-9a-f]{64}\n$/;
  expect((await tbuild('buildx', '--builder', 'ci', 'b', '-q', context)).stdout).toMatch(id);
  expect((await tbuild('buildx', 'ls', '--format', '{{.Name}} {{.Status}}')).stdout).toBe('default running\n');
  expect(JSON.parse((await tbuild('buildx', 'ls', '--format=json')).stdout)).toMatchObject({ Name: 'default' });
  expect((await tbuild('-v')).stdout).toBe((await tbuild('version')).stdout);
});

test('a command that tbuild lacks names what to use instead', async () => {
  for (const [words, hint] of [
    [['buildx', 'install'], 'tbuild install --as-buildx'],
    [['buildx', 'dap'], 'tbuild debug'],
    [['buildx', 'debug'], 'tbuild debug'],
    [['buildx', 'dial-stdio'], 'no daemon'],
    [['buildx', 'policy'], '--source-policy-file'],
    [['buildx', 'uninstall'], 'tbuild install --uninstall'],
    [['buildx', 'history', 'trace'], 'Use open'],
    [['compose', 'build'], 'tbuild bake'],
    [['shell'], 'tbuild debug'],
  ] as const)
    expect(await runTbuild(words)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(hint) });
});

test('BUILDX_BUILDER and --builder have no effect', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const build = await runTbuild(['build', '--builder', 'ci', '-q', context], { env: { BUILDX_BUILDER: 'other' } });
  expect(good(build).stderr).toBe('');
});

test('variables about builders, profiles and experiments change nothing', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  const build = async (env = {}) => good(await runTbuild(['build', '-q', context], { env }));
  const env = {
    BUILDKIT_HOST: 'tcp://127.0.0.1:1',
    BUILDX_BAKE_GIT_AUTH_HEADER: 'basic',
    BUILDX_BAKE_GIT_AUTH_TOKEN: 'none',
    BUILDX_CONFIG: '/nowhere',
    BUILDX_CPU_PROFILE: '/nowhere/cpu',
    BUILDX_EXPERIMENTAL: '1',
    BUILDX_MEM_PROFILE: '/nowhere/memory',
    BUILDX_NO_DEFAULT_LOAD: '1',
    DOCKER_BUILDKIT: '0',
  };
  expect(await build(env)).toMatchObject({ stdout: (await build()).stdout, stderr: '' });
});

test('du, df and prune work under the names that Docker has for them', async () => {
  const summary = /^TYPE +COUNT +SIZE +RECLAIMABLE\n/;
  for (const words of [
    ['buildx', 'du'],
    ['builder', 'du'],
    ['system', 'df'],
  ])
    expect((await tbuild(...words)).stdout).toMatch(summary);
  const store = scratchDirectory('store');
  for (const words of [
    ['buildx', 'prune', '-f'],
    ['builder', 'prune', '-af'],
    ['system', 'prune', '-af', '--volumes'],
  ])
    expect(good(await runTbuild(words, { store })).stdout).toMatch(/^Total reclaimed space: /m);
});

test('image prune removes images without a name, and with --all the others too', async () => {
  const store = scratchDirectory('store');
  const run = async (...words: string[]) => good(await runTbuild(words, { store })).stdout;
  const context = (text: string) => writeFiles({ Dockerfile: 'FROM scratch\nCOPY f /\n', f: text });
  await run('-q', context('unnamed'));
  await run('-q', '-t', 'named:1', context('named'));
  expect(await run('image', 'prune', '-f', '--filter', 'until=1h')).not.toContain('Deleted');
  expect(await run('image', 'prune', '-f')).toMatch(/^Deleted: sha256:[0-9a-f]{64}\nTotal reclaimed space: /);
  expect(await run('images', '--format', '{{.Repository}}')).toBe('named\n');
  expect(await run('image', 'prune', '-a', '-f')).toMatch(/^Untagged: named:1\n/);
  expect(await run('images', '-q')).toBe('');
});
