import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeExitProgram, exitPrograms } from '../../../packages/executor/src/emulation/exit-program.ts';
import { baseImageArguments, pushBaseImage } from '../../support/base-images.ts';
import { registerArm64 } from '../../support/binfmt.ts';
import { builders } from '../../support/builders.ts';
import { docker } from '../../support/docker.ts';
import { imagesOf, readLayer, type LayoutImage } from '../../support/layout.ts';
import { program } from '../../support/program.ts';
import { canRunDocker, isRoot, needs } from '../../support/requirements.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, userDirectory, writeFiles } from '../../support/tbuild.ts';
import { treeOfLayers } from '../../support/tree.ts';
import { problemsOf } from '../../support/validate-image.ts';

const both = ['--platform', 'linux/amd64,linux/arm64'];

const build = (files: Record<string, string>, args: readonly string[], options = {}) =>
  runTbuild(['build', '--progress', 'plain', ...baseImageArguments(), ...args, writeFiles(files)], {
    store: scratchDirectory('store'),
    ...options,
  });

const treeOf = ({ layout, manifest }: LayoutImage) =>
  treeOfLayers(manifest.layers.map((layer) => readLayer(layout, layer)));

/** Programs that the launcher and a build start, without any emulator. */
function pathWithoutEmulators(): string {
  const bin = scratchDirectory('bin');
  for (const name of readdirSync('/usr/bin'))
    if (!name.startsWith('qemu-')) symlinkSync(join('/usr/bin', name), join(bin, name));
  return bin;
}

const machines = { Dockerfile: 'FROM busybox\nRUN uname -m > /machine\n' };
/** A program for an architecture that no test registers an emulator for; it does nothing. */
const foreign = { Dockerfile: 'FROM scratch\nCOPY --chmod=755 exit /\nRUN ["/exit"]\n' };
const foreignContext = () => {
  const context = writeFiles(foreign);
  writeFileSync(join(context, 'exit'), encodeExitProgram(exitPrograms.s390x));
  return context;
};
const buildForeign = (args: readonly string[], options = {}) =>
  runTbuild(['build', '--progress', 'plain', '--platform', 'linux/s390x', ...args, foreignContext()], {
    store: scratchDirectory('store'),
    ...options,
  });

/** Runs tbuild in a new user namespace, after commands that change it. */
const buildForeignIn = (commands: string, env = {}) =>
  runChangedMachine(commands, ['build', '--progress', 'plain', '--platform', 'linux/s390x', foreignContext()], env);
const runChangedMachine = (commands: string, args: readonly string[], env = {}) =>
  runProcess(
    'unshare',
    [
      '--user',
      '--map-users=0:0:65536',
      '--map-groups=0:0:65536',
      '--mount',
      'sh',
      '-ec',
      `${commands}\nexec "$@"`,
      'sh',
      program,
      ...args,
    ],
    { env: { TBUILD_ROOT: scratchDirectory('store'), HOME: scratchDirectory('home'), ...env } },
  );
/** Gives the user namespace its own, empty set of handlers. */
const noHandlers = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc';

test('RUN for an architecture without an emulator says what to install', needs('root'), async () => {
  const { exitCode, stderr } = await buildForeignIn(noHandlers, { PATH: pathWithoutEmulators() });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Programs for linux/s390x cannot run on this');
  expect(stderr).toContain('apt-get install qemu-user-static');
  expect(stderr).not.toContain('xec format error');
});

describe('with an emulator that is installed', needs('arm64'), () => {
  test.each(builders)('RUN of $who runs foreign programs, whether or not it is registered', async ({ asUser }) => {
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    good(await build(machines, [...both, '--tag', 'emulated:1'], { store, asUser }));
    expect(machinesOf(store)).toEqual({ amd64: 'x86_64\n', arm64: 'aarch64\n' });
    good(await buildForeign([], { store, asUser }));
  });

  test.each(isRoot ? ['oci', 'chroot'] : ['oci'])('RUN runs foreign programs in %s isolation', async (isolation) => {
    good(await buildForeign(['--isolation', isolation]));
  });

  test('the machine gets no handler from a build', async () => {
    const registered = () => readdirSync('/proc/sys/fs/binfmt_misc').filter((name) => name.includes('tbuild'));
    good(await buildForeign([]));
    expect(registered()).toEqual([]);
  });

  test('doctor names the platforms that RUN can run', async () => {
    const found = JSON.parse((await runTbuild(['doctor', '--format', 'json'])).stdout);
    expect(found).toContainEqual(
      expect.objectContaining({ name: 'RUN for others', detail: expect.stringMatching(/possible: .*s390x.*; not: /) }),
    );
    const { stdout } = await runChangedMachine(noHandlers, ['doctor'], { PATH: pathWithoutEmulators() });
    expect(stdout).toMatch(/RUN for others +possible: .*; not: .*s390x/);
  });
});

const [magic, mask] = [
  String.raw`\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16`,
  String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff`,
];
const registered = (flags: string) =>
  `${noHandlers}
printf %s ':s390x:M::${magic}:${mask}:/usr/bin/qemu-s390x-static:${flags}' > /proc/sys/fs/binfmt_misc/register
echo 0 > /proc/sys/user/max_user_namespaces`;

describe('on a machine where steps may not register handlers', needs('arm64'), () => {
  test.each(['OCF', 'OC', ''])('a registered handler with flags "%s" is used', async (flags) => {
    good(await buildForeignIn(registered(flags)));
  });

  test('without a registered handler, the error and doctor say what to do', async () => {
    const forbidden = `${noHandlers}\necho 0 > /proc/sys/user/max_user_namespaces`;
    const { exitCode, stderr } = await buildForeignIn(forbidden);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /emulator "\/usr\/bin\/qemu-s390x(-static)?" is not registered, and steps cannot register it here/,
    );
    expect(stderr).toContain('apt-get install qemu-user-binfmt');
    const { stdout } = await runChangedMachine(forbidden, ['doctor']);
    expect(stdout).toMatch(/limited +RUN for arm64 .*steps cannot register it themselves.*\n.*qemu-user-binfmt/);
  });
});

const machinesOf = (store: string) =>
  Object.fromEntries(
    imagesOf(store).flatMap((image) =>
      image.config.architecture === 's390x' ? [] : [[image.config.architecture, treeOf(image).readText('/machine')]],
    ),
  );

describe('with qemu registered', needs('arm64'), () => {
  test.each(builders)('RUN of $who runs programs of the other architecture', async ({ asUser }) => {
    using _ = await registerArm64();
    const store = asUser ? userDirectory('store') : scratchDirectory('store');
    good(await build(machines, [...both, '--tag', 'emulated:1'], { store, asUser }));
    expect(machinesOf(store)).toEqual({ amd64: 'x86_64\n', arm64: 'aarch64\n' });
  });
});

/** Steps of a platform run programs of that platform; steps that run once use this machine's. */
const crossProject = (base: string) => ({
  Dockerfile: `FROM --platform=$BUILDPLATFORM ${base} AS build
RUN uname -m > /built-on && cat /proc/sys/kernel/random/uuid > /once
FROM ${base}
ARG TARGETPLATFORM BUILDPLATFORM TARGETARCH TARGETVARIANT
COPY --from=build /built-on /once /from/
RUN echo "$(uname -m) $TARGETPLATFORM $BUILDPLATFORM $TARGETARCH" > /machine
CMD ["sh", "-c", "echo run on $(uname -m), made on $(cat /machine)"]
`,
});

describe('an index that was built here and pushed', needs('arm64', 'registry'), () => {
  test('is pulled back, and the image of each platform runs in steps and in Docker', async () => {
    const host = await sharedService('registry');
    const base = await pushBaseImage('busybox', host);
    const name = `${host}/emulation/project:1`;
    const pushed = good(await build(crossProject(base), [...both, '--tag', name, '--push']));
    expect(new Set(pushed.stderr.match(/^#\d+ (?=\[.*RUN uname -m > \/built-on)/gm))).toHaveProperty('size', 1);

    const store = scratchDirectory('store');
    const run = { Dockerfile: `FROM ${name}\nRUN uname -m | cat - /machine /from/built-on > /seen\n` };
    good(await build(run, [...both, '--tag', 'seen:1'], { store }));
    const images = imagesOf(store);
    expect(images.flatMap(problemsOf)).toEqual([]);
    const seen = Object.fromEntries(
      images.map((image) => [image.config.architecture, treeOf(image).readText('/seen').split('\n').filter(Boolean)]),
    );
    expect(seen).toEqual({
      amd64: ['x86_64', 'x86_64 linux/amd64 linux/amd64 amd64', 'x86_64'],
      arm64: ['aarch64', 'aarch64 linux/arm64 linux/amd64 arm64', 'x86_64'],
    });
    expect(new Set(images.map((image) => treeOf(image).readText('/from/once'))).size).toBe(1);

    if (!canRunDocker) return;
    using _ = await registerArm64();
    const daemon = await sharedService('docker');
    for (const [platform, machine] of [
      ['linux/arm64', 'aarch64'],
      ['linux/amd64', 'x86_64'],
    ] as const) {
      await docker(daemon, ['pull', '--quiet', '--platform', platform, name]);
      const said = await docker(daemon, ['run', '--rm', '--network', 'none', '--platform', platform, name]);
      expect(said).toBe(`run on ${machine}, made on ${machine} ${platform} linux/amd64 ${platform.slice(6)}\n`);
    }
  });
});

test('RUN for variants and 32-bit architectures runs their own programs', needs('arm64'), async () => {
  const context = writeFiles({
    Dockerfile: `FROM scratch
ARG TARGETARCH TARGETVARIANT
COPY --chmod=755 exit-$TARGETARCH /exit
COPY variant-$TARGETVARIANT /variant
RUN ["/exit"]
`,
    'variant-': 'none\n',
    'variant-v6': 'v6\n',
    'variant-v7': 'v7\n',
  });
  for (const [name, each] of Object.entries(exitPrograms))
    writeFileSync(join(context, `exit-${name}`), encodeExitProgram(each));
  const store = scratchDirectory('store');
  const platforms = ['linux/386', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64/v8', 'linux/riscv64', 'linux/s390x'];
  const args = ['build', '--progress', 'plain', '--platform', platforms.join(','), '--tag', 'all:1', context];
  good(await runTbuild(args, { store }));
  const images = imagesOf(store);
  expect(images.flatMap(problemsOf)).toEqual([]);
  expect(
    images.map((image) => [
      image.config.architecture,
      image.config.variant ?? '',
      treeOf(image).readText('/variant').trim(),
    ]),
  ).toEqual([
    ['386', '', 'none'],
    ['arm', 'v6', 'v6'],
    ['arm', 'v7', 'v7'],
    ['arm64', '', 'none'],
    ['riscv64', '', 'none'],
    ['s390x', '', 'none'],
  ]);
});
