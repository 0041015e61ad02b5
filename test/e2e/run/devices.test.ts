import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { builders } from '../../support/builders.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline } from '../../support/tbuild.ts';

let specs: string;
beforeAll(async () => {
  specs = scratchDirectory('cdi');
  const files = scratchDirectory('cdi-files');
  mkdirSync(join(files, 'lib'));
  writeFileSync(join(files, 'hello'), 'hello\n');
  const library = /\/\S*\/(libc\.so\S*)/.exec(await runChecked('ldd', ['/bin/sh']));
  copyFileSync(library?.[0] ?? '', join(files, 'lib', library?.[1] ?? ''));
  await runChecked('chmod', ['-R', 'a+rX', files]);
  const device = (name: string, containerEdits: object) => ({
    name,
    containerEdits: { env: [`DEVICE_${name.toUpperCase()}=yes`], ...containerEdits },
  });
  writeFileSync(
    join(specs, 'vendor.json'),
    JSON.stringify({
      cdiVersion: '0.6.0',
      kind: 'vendor.test/device',
      containerEdits: { env: ['SPEC=yes', 'PATH=/usr/bin:/bin:/vendor'] },
      devices: [
        device('nodes', { deviceNodes: [{ path: '/dev/test/null', hostPath: '/dev/null' }] }),
        device('fuse', { deviceNodes: [{ path: '/dev/fuse' }] }),
        device('files', {
          mounts: [{ hostPath: join(files, 'hello'), containerPath: '/vendor/hello', options: ['ro'] }],
        }),
        device('libraries', {
          mounts: [{ hostPath: join(files, 'lib'), containerPath: '/vendor/lib', options: ['ro', 'bind'] }],
          hooks: [
            {
              hookName: 'createContainer',
              path: '/usr/bin/hook',
              args: ['hook', 'update-ldcache', '--folder', '/vendor/lib'],
            },
            {
              hookName: 'createContainer',
              path: '/usr/bin/hook',
              args: ['hook', 'create-symlinks', '--link', 'lib::/vendor/link'],
            },
          ],
        }),
        device('cuda', {
          hooks: ['enable-cuda-compat', 'disable-device-node-modification'].map((command) => ({
            hookName: 'createContainer',
            path: '/usr/bin/nvidia-cdi-hook',
            args: ['nvidia-cdi-hook', command],
          })),
        }),
        ...['550.54.15', '580.1'].map((driver) =>
          device(`driver-${driver.slice(0, 3)}`, {
            hooks: [
              ['enable-cuda-compat', `--host-driver-version=${driver}`],
              ['update-ldcache', '--folder', '/vendor/lib'],
            ].map((args) => ({
              hookName: 'createContainer',
              path: '/usr/bin/nvidia-cdi-hook',
              args: ['nvidia-cdi-hook', ...args],
            })),
          }),
        ),
        device('hooked', {
          hooks: [{ hookName: 'createRuntime', path: '/usr/bin/vendor-hook', args: ['vendor-hook', 'set-up'] }],
        }),
        device('absent', { deviceNodes: [{ path: '/dev/no-such-device' }] }),
      ],
    }),
  );
  writeFileSync(
    join(specs, 'open.yaml'),
    `cdiVersion: "0.6.0"
kind: open.test/device
devices:
  - name: free
    annotations: { org.mobyproject.buildkit.device.autoallow: true, org.mobyproject.buildkit.device.class: quick }
    containerEdits: { env: [FREE=yes] }
`,
  );
});

const using = (...more: string[]) => ['--cdi-spec-dir', specs, ...more];
const dockerfile = (flags: string, command: string) => ({
  Dockerfile: `FROM busybox\nRUN ${flags} ${command} > /seen\n`,
});

describe.each(builders)('RUN --device for $who', ({ asUser }) => {
  test('gives nodes, files and variables of its specification, and leaves none', async () => {
    const flags = '--device=vendor.test/device=nodes --device=name=vendor.test/device=files,required';
    const command =
      '{ env | grep -E "SPEC|DEVICE|PATH" | sort; cat /vendor/hello; echo x > /dev/test/null; ls -l /dev/test/null; }';
    const build = await buildGood(dockerfile(flags, command), { asUser, args: using('--allow', 'device') });
    expect(build.tree().readText('/seen')).toMatch(
      /^DEVICE_FILES=yes\nDEVICE_NODES=yes\nPATH=\/usr\/bin:\/bin:\/vendor\nSPEC=yes\nhello\ncrw-rw-rw-.* 1, +3 .*\n$/,
    );
    expect(
      [...build.tree().entries.keys()].filter((path) => path.startsWith('/vendor') || path.startsWith('/dev/')),
    ).toEqual([]);
    expect(JSON.stringify(build.image().config.config)).not.toContain('DEVICE');
  });

  test("brings the linker's cache up to date and makes links, for the step alone", async () => {
    const shown = `{ /sbin/ldconfig -p | grep -c '=> /vendor/lib/' || true; readlink /vendor/link || echo none; }`;
    const files = {
      Dockerfile: `FROM debian\nRUN --device=vendor.test/device=libraries ${shown} > /with\nRUN ${shown} > /without\n`,
    };
    const build = await buildGood(files, { asUser, images: ['debian'], args: using('--allow', 'device') });
    expect(build.tree().readText('/with')).toBe('1\nlib\n');
    expect(build.tree().readText('/without')).toBe('0\nnone\n');
  });
});

test("RUN --device prefers the image's own CUDA libraries to those of an older driver", async () => {
  const shown = (driver: number) =>
    `--device=vendor.test/device=driver-${driver} /sbin/ldconfig -p | grep -c '=> /usr/local/cuda/compat/' > /${driver} || true`;
  const files = {
    Dockerfile: `FROM debian
RUN mkdir -p /usr/local/cuda-12/compat && ln -s cuda-12 /usr/local/cuda && cd /usr/local/cuda/compat && \\
    cp "$(ldconfig -p | sed -n 's/.*libm.so.6 .*=> //p')" libcuda.so.575.57.08 && ln -s libcuda.so.575.57.08 libm.so.6
RUN ${shown(550)}
RUN ${shown(580)}
`,
  };
  const build = await buildGood(files, { images: ['debian'], args: using('--allow', 'device') });
  expect(build.tree().readText('/550')).toBe('1\n');
  expect(build.tree().readText('/580')).toBe('0\n');
});

describe('RUN --device', needs('root'), () => {
  test(
    'lets a step of root open a device that others may not',
    needs({ met: existsSync('/dev/fuse'), lacks: '/dev/fuse' }),
    async () => {
      const open = 'sh -c "exec 3<>/dev/fuse && echo opened"';
      const build = await buildGood(dockerfile('--device=vendor.test/device=fuse', open), {
        args: using('--allow', 'device'),
      });
      expect(build.tree().readText('/seen')).toBe('opened\n');
      const without = dockerfile('', `mknod /fuse c 10 229 && ${open.replace('/dev/fuse', '/fuse')}`);
      expect((await buildInline(without, { args: using() })).exitCode).toBe(1);
    },
  );

  test.each([
    ['vendor.test/device=files', []],
    ['vendor.test/device=files', ['--allow', 'device=vendor.test/device=nodes']],
    ['vendor.test/device=*', ['--allow', 'device=vendor.test/device=nodes']],
    ['vendor.test/device=nodes', ['--allow', 'device=vendor.test/device=nodes,alias=other']],
  ])('of %s is refused with %j', async (name, allow) => {
    const { exitCode, stderr } = await buildInline(dockerfile(`--device=${name}`, 'true'), { args: using(...allow) });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`ERROR: "device=${name}" is not allowed\nhint: Use --allow device=${name} if you trust`);
  });

  test.each([
    ['vendor.test/device=files', ['--allow', 'device=vendor.test/device=files,network.host'], 'DEVICE_FILES'],
    ['vendor.test/device=files', ['--allow', 'device=vendor.test/device'], 'DEVICE_FILES'],
    ['vendor.test/device=cuda', ['--allow', 'device'], 'DEVICE_CUDA'],
    ['gpu', ['--allow', 'device=vendor.test/device=files,alias=gpu'], 'DEVICE_FILES'],
    ['gpu', ['--allow', 'device=vendor.test/device=files,alias=gpu,network.host'], 'DEVICE_FILES'],
    ['vendor.test/device', ['--allow', 'device'], 'DEVICE_ABSENT'],
    ['open.test/device=free', [], 'FREE'],
    ['open.test/device', [], 'FREE'],
    ['open.test/device=quick', [], 'FREE'],
    ['quick', [], 'FREE'],
  ])('of %s with %j gives %s', async (name, allow, variable) => {
    const { stderr, exitCode } = await buildInline(dockerfile(`--device=${name}`, `sh -c '[ \$${variable} = yes ]'`), {
      args: using(...allow),
    });
    // The first device of the kind in the order of names is one that the machine lacks.
    if (variable === 'DEVICE_ABSENT') expect(stderr).toContain('This machine lacks "/dev/no-such-device"');
    else expect(exitCode).toBe(0);
  });

  test('goes on without an optional device, and fails without a required one', async () => {
    const args = using('--allow', 'device');
    const optional = await buildGood(dockerfile('--device=no.test/device=a', 'true'), { args });
    expect(optional.stderr).toContain('Optional device "no.test/device=a" is not registered');
    const required = await buildInline(dockerfile('--device=no.test/device=a,required', 'true'), { args });
    expect(required.stderr).toContain(
      'ERROR: required device "no.test/device=a" is not registered\nhint: Use one of open.test/device=free',
    );
  });

  test('is refused for a hook that is not known', async () => {
    const args = using('--allow', 'device');
    const { exitCode, stderr } = await buildInline(dockerfile('--device=vendor.test/device=hooked', 'true'), { args });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'ERROR: The device "vendor.test/device=hooked" has the createRuntime hook "/usr/bin/vendor-hook set-up", which tbuild',
    );
  });

  test('is refused with a field of --allow that is not known', async () => {
    const args = using('--allow', 'device=vendor.test/device=files,name=gpu');
    const { exitCode, stderr } = await buildInline(dockerfile('--device=gpu', 'true'), { args });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Invalid --allow "name=gpu"');
  });

  test('is refused where a step shares the devices of its container', async () => {
    const args = using('--allow', 'device', '--isolation', 'chroot');
    const { stderr } = await buildInline(dockerfile('--device=vendor.test/device=nodes', 'true'), { args });
    expect(stderr).toContain('ERROR: Steps have no devices of this machine with --isolation chroot');
  });

  test('names a specification that cannot be read', async () => {
    const directory = scratchDirectory('cdi');
    writeFileSync(join(directory, 'a.json'), '{"cdiVersion": "0.6.0", "kind": "device"}');
    const args = ['--cdi-spec-dir', directory];
    const { stderr } = await buildInline(dockerfile('--device=vendor.test/device=nodes', 'true'), { args });
    expect(stderr).toContain(
      `The CDI specification "${directory}/a.json" has the kind "device": expected vendor.com/class`,
    );
  });
});
