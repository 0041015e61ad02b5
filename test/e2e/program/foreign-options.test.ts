import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImageArguments, pushBaseImage } from '../../support/base-images.ts';
import { imagesOf } from '../../support/layout.ts';
import { startRegistry } from '../../support/registry.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import {
  buildContext,
  buildGood,
  buildInline,
  good,
  runTbuild,
  writeFiles,
  type InlineBuild,
} from '../../support/tbuild.ts';

/** The names at the root of a build's image. */
function namesIn(build: InlineBuild): string[] {
  return [...build.tree().entries.keys()].filter((path) => path !== '/').map((path) => path.slice(1));
}

/** Builds into an OCI layout and returns its only image. */
async function builtImage(files: Readonly<Record<string, string>>, args: readonly string[], env = {}) {
  const directory = join(scratchDirectory('layout'), 'out');
  const output = ['-o', `type=oci,dest=${directory},tar=false`];
  const words = ['build', '--progress', 'plain', ...baseImageArguments(), ...args, ...output, writeFiles(files)];
  const build = good(await runTbuild(words, { env }));
  const [image] = imagesOf(directory);
  if (image === undefined) throw new Error('There is no image');
  return { ...image, build, directory };
}

describe("Buildah's options", () => {
  const base = 'FROM scratch\nENV A=1 B=2\nLABEL l=1 m=2\nCOPY Dockerfile /\n';

  test('--env, --unsetenv and --unsetlabel edit the finished image', async () => {
    const options = ['--env', 'C=3', '--env', 'A=9', '--env', 'GIVEN', '--unsetenv', 'B', '--unsetlabel', 'l'];
    const { config } = await builtImage({ Dockerfile: base }, options, { GIVEN: 'here' });
    expect(config.config).toMatchObject({ Labels: { m: '2' } });
    expect(config.config?.Env).toEqual([expect.stringMatching(/^PATH=/), 'C=3', 'A=9', 'GIVEN=here']);
  });

  test('--omit-history leaves the history out', async () => {
    const { config } = await builtImage({ Dockerfile: base }, ['--omit-history']);
    expect(config.history ?? []).toEqual([]);
    expect(config.rootfs.diff_ids).toHaveLength(1);
  });

  test('--timestamp sets the times of the image and of its new files', async () => {
    const { config } = await builtImage({ Dockerfile: base }, ['--timestamp', '1000000000']);
    const time = '2001-09-09T01:46:40Z';
    expect(new Date(config.created ?? '').toISOString()).toBe(new Date(time).toISOString());
    const again = await builtImage({ Dockerfile: base }, ['--source-date-epoch', '1000000000', '--rewrite-timestamp']);
    expect(again.config).toEqual(config);
  });

  test('--ignorefile replaces .dockerignore', async () => {
    const files = { Dockerfile: 'FROM scratch\nCOPY . /\n', a: '', b: '', '.dockerignore': 'a\n', other: 'b\n' };
    const context = writeFiles(files);
    const build = await buildContext(context, { args: ['--ignorefile', join(context, 'other')] });
    expect(namesIn(good(build))).toEqual(['.dockerignore', 'Dockerfile', 'a', 'other']);
  });

  test('--build-arg-file sets arguments, and --build-arg wins', async () => {
    const files = {
      Dockerfile: 'FROM scratch\nARG A\nARG B\nARG C\nLABEL a=$A b=$B c=$C\nCOPY Dockerfile /\n',
      'args.conf': '# a comment\n\nA=from file\nB=from file\nC\n',
    };
    const context = writeFiles(files);
    const args = ['--build-arg-file', join(context, 'args.conf'), '--build-arg', 'B=given'];
    const build = await buildContext(context, { args, env: { C: 'from environment' } });
    expect(good(build).image().config.config?.Labels).toEqual({ a: 'from file', b: 'given', c: 'from environment' });
  });

  test('--add-host takes several lines, separated by commas', async () => {
    const files = { Dockerfile: 'FROM busybox\nRUN grep -E "^10.0.0.[12]\\s" /etc/hosts > /hosts\n' };
    const build = await buildGood(files, { args: ['--add-host', 'one:10.0.0.1,two:10.0.0.2'] });
    expect(build.tree().readText('/hosts')).toMatch(/one\n[^]*two\n/);
  });
});

test('a Containerfile is found where there is no Dockerfile, with its .containerignore', async () => {
  const files = {
    Containerfile: 'FROM scratch\nCOPY . /\n',
    a: '',
    b: '',
    '.containerignore': 'a\n',
    '.dockerignore': 'b\n',
  };
  const names = namesIn(await buildGood(files));
  expect(names).toEqual(['.containerignore', '.dockerignore', 'Containerfile', 'b']);
  const both = namesIn(await buildGood({ ...files, Dockerfile: 'FROM scratch\nCOPY . /\n' }));
  expect(both).toContain('a');
  expect(both).not.toContain('b');
});

test('the ignore file of a Dockerfile outside of the context applies', async () => {
  const context = writeFiles({ a: '', b: '', '.dockerignore': 'b\n' });
  const files = { 'own.Dockerfile': 'FROM scratch\nCOPY . /\n', 'own.Dockerfile.dockerignore': 'a\n' };
  const args = ['-f', join(writeFiles(files), 'own.Dockerfile')];
  expect(namesIn(good(await buildContext(context, { args })))).toEqual(['.dockerignore', 'b']);
});

test('a Containerfile is found in an archive on standard input', async () => {
  const context = writeFiles({ Containerfile: 'FROM scratch\nCOPY a /\n', a: '' });
  const archive = execFileSync('tar', ['c', '-C', context, '.']);
  expect(good(await runTbuild(['-q', '-'], { input: archive })).stdout).toMatch(/^sha256:/);
});

describe("kaniko's options", needs('registry'), () => {
  test('--registry-certificate and --registry-client-cert are used for their registry', async () => {
    await using registry = await startRegistry({ tls: true, demandsCertificate: true });
    const { host, certificate = '', key = '' } = registry;
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const push = (...options: string[]) => runTbuild(['--push', '-t', `${host}/app:1`, ...options, context]);
    const client = ['--registry-client-cert', `${host}=${certificate},${key}`];
    good(await push('--registry-certificate', `${host}=${certificate}`, ...client));
    const refused = await push('--registry-certificate', `${host}=${certificate}`);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('client certificate');
  });
});

describe('--base-annotations', needs('registry'), () => {
  test('names the base and its digest', async () => {
    await using registry = await startRegistry();
    const base = await pushBaseImage('busybox', registry.host);
    const image = await builtImage({ Dockerfile: `FROM ${base}\nCOPY Dockerfile /\n` }, ['--base-annotations']);
    expect(image.manifest).toHaveProperty('annotations', {
      'org.opencontainers.image.base.name': base,
      'org.opencontainers.image.base.digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    const bare = await builtImage({ Dockerfile: `FROM ${base}\nCOPY Dockerfile /\n` }, []);
    expect(bare.manifest).not.toHaveProperty('annotations');
  });
});

test('--base-annotations of a base in a layout has its digest: it has no name', async () => {
  const image = await builtImage({ Dockerfile: 'FROM busybox\nCOPY Dockerfile /\n' }, ['--base-annotations']);
  expect(image.manifest).toHaveProperty('annotations', {
    'org.opencontainers.image.base.digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
});

describe('build arguments of BuildKit', () => {
  const files = { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' };

  test('BUILDKIT_INLINE_CACHE=1 writes an inline cache', async () => {
    const cached = await builtImage(files, ['--build-arg', 'BUILDKIT_INLINE_CACHE=1']);
    expect(cached.config).toEqual((await builtImage(files, ['--cache-to', 'type=inline'])).config);
    expect(cached.config).not.toEqual((await builtImage(files, [])).config);
  });

  test('BUILDKIT_MULTI_PLATFORM=1 puts a single image under an index, and files into a directory of the platform', async () => {
    const { directory } = await builtImage(files, ['--build-arg', 'BUILDKIT_MULTI_PLATFORM=1', '-t', 'app:1']);
    const [root] = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')).manifests;
    expect(root.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    const out = join(scratchDirectory('tree'), 'out');
    const args = ['--build-arg', 'BUILDKIT_MULTI_PLATFORM=true', '--platform', 'linux/amd64', '-o', out];
    good(await runTbuild([...args, writeFiles(files)]));
    expect(readFileSync(join(out, 'linux_amd64/Dockerfile'), 'utf8')).toBe(files.Dockerfile);
  });

  test('BUILDKIT_DISABLE_ONBUILD=1 ignores the triggers of a base', async () => {
    const triggered = { Dockerfile: 'FROM scratch AS base\nONBUILD LABEL a=1\nFROM base\nCOPY Dockerfile /\n' };
    const ignored = await builtImage(triggered, ['--build-arg', 'BUILDKIT_DISABLE_ONBUILD=1']);
    expect(ignored.config.config?.Labels).toBeUndefined();
    expect((await builtImage(triggered, [])).config.config?.Labels).toEqual({ a: '1' });
  });

  test('BUILDKIT_SYNTAX=dockerfile.v0 ignores the syntax directive', async () => {
    const other = { Dockerfile: '# syntax=example.com/own/frontend:1\nFROM scratch\nCOPY Dockerfile /\n' };
    await builtImage(other, ['--build-arg', 'BUILDKIT_SYNTAX=dockerfile.v0']);
  });

  test('BUILDKIT_BUILD_NAME and other arguments of BuildKit do not count as unused', async () => {
    const { build } = await builtImage(files, ['--build-arg', 'BUILDKIT_BUILD_NAME=app', '--build-arg', 'http_proxy=']);
    expect(build.stderr).not.toContain('is not used');
  });
});

test('a build argument that no ARG declares is warned of, with a suggestion', async () => {
  const files = { Dockerfile: 'FROM scratch\nARG VERSION\nCOPY Dockerfile /\n' };
  const { build } = await builtImage(files, ['--build-arg', 'VERSON=1', '--build-arg', 'VERSION=2']);
  expect(build.stderr).toContain('Build argument "VERSON" is not used: no ARG declares it. Did you mean VERSION?');
  expect(build.stderr).not.toContain('"VERSION" is not used');
});

describe('--log-max', () => {
  const steps = 'FROM busybox\nRUN echo first; seq 10000; echo last; exit $CODE\n';
  const build = (code: string) =>
    buildInline({ Dockerfile: steps.replace('$CODE', code) }, { args: ['--log-max', '1k', '--no-cache'] });

  test('clips the output of a step', async () => {
    const { stderr } = good(await build('0'));
    expect(stderr).toContain('[output clipped, log limit 1024 bytes reached]');
    expect(stderr).toContain(' first');
    expect(stderr).not.toMatch(/ last$/m);
  });

  test('shows the end of the output of a step that fails', async () => {
    const { exitCode, stderr } = await build('3');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/ 10000\n[^]* last$/m);
    expect(stderr).not.toMatch(/ 5000$/m);
  });
});

test('--print is the older name of --call', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch AS base\nFROM base AS app\nCOPY Dockerfile /\n' });
  const { stdout } = good(await runTbuild(['--print', 'targets', context]));
  expect(stdout).toBe(good(await runTbuild(['--call', 'targets', context])).stdout);
  expect(stdout).toContain('base');
});
