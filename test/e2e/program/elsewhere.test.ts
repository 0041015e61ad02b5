import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { baseImageArguments } from '../../support/base-images.ts';
import { docker } from '../../support/docker.ts';
import { loadJobImage } from '../../support/gitlab.ts';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess, type ProcessResult } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, writeFiles } from '../../support/tbuild.ts';

const image = 'tbuild-elsewhere:1';

describe('where there is no Linux', needs('docker'), () => {
  const bin = scratchDirectory('bin');
  const home = scratchDirectory('home');
  let host: string;
  beforeAll(async () => {
    if (needs('docker').skip === true) return;
    host = await sharedService('docker');
    await loadJobImage(image);
    writeFileSync(join(bin, 'uname'), '#!/bin/sh\necho Darwin\n');
    chmodSync(join(bin, 'uname'), 0o755);
  });

  /** Runs the program where the kernel does not look like Linux. */
  function run(args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<ProcessResult> {
    const hidden = 'mount -t tmpfs none /proc/sys/kernel/random && exec "$@"';
    return runProcess('unshare', ['--mount', 'sh', '-c', hidden, 'sh', program, ...args], {
      cwd,
      env: { PATH: `${bin}:${process.env['PATH']}`, HOME: home, DOCKER_HOST: host, TBUILD_IMAGE: image, ...env },
    });
  }

  test('a build runs in a container, and its image is loaded into the engine', async () => {
    const context = writeFiles({ Dockerfile: 'FROM busybox\nARG A\nRUN echo "$A" > /made\n' });
    const args = ['-t', 'elsewhere:1', '--load', '--build-arg', 'A', ...baseImageArguments(), '.'];
    good(await run(args, context, { A: 'from outside' }));
    expect(await docker(host, ['run', '--rm', 'elsewhere:1', 'cat', '/made'])).toBe('from outside\n');
  });

  test('contexts, Dockerfiles and outputs outside of the working directory are mounted', async () => {
    const directory = writeFiles({
      'here/': '',
      'context/file': 'text\n',
      'other/Dockerfile': 'FROM scratch\nCOPY file /\n',
    });
    good(await run(['-f', '../other/Dockerfile', '-o', '../out', '../context'], join(directory, 'here')));
    expect(readFileSync(join(directory, 'out/file'), 'utf8')).toBe('text\n');
  });

  test('a build runs in a container in a WSL without namespaces', async () => {
    const wsl = scratchDirectory('bin');
    const refused = '#!/bin/sh\ncase $1 in --version) echo "unshare from util-linux 2.41" ;; *) exit 1 ;; esac\n';
    writeFileSync(join(wsl, 'unshare'), refused, { mode: 0o755 });
    const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo made > /made\n' });
    const env = { PATH: `${wsl}:${process.env['PATH']}`, HOME: home, DOCKER_HOST: host, TBUILD_IMAGE: image };
    const args = ['-t', 'elsewhere-wsl:1', '--load', ...baseImageArguments(), '.'];
    const weak = 'isolated by chroot only';
    const there = good(await runProcess(program, args, { cwd: context, env: { ...env, WSL_DISTRO_NAME: 'Debian' } }));
    expect(there.stderr).not.toContain(weak);
    expect(await docker(host, ['run', '--rm', 'elsewhere-wsl:1', 'cat', '/made'])).toBe('made\n');
    const here = await runProcess(program, args, {
      cwd: context,
      env: { ...env, TBUILD_ROOT: scratchDirectory('store') },
    });
    expect(good(here).stderr).toContain(weak);
  });

  test('the shells of Windows are told about WSL', async () => {
    const windows = scratchDirectory('bin');
    writeFileSync(join(windows, 'uname'), '#!/bin/sh\necho MINGW64_NT-10.0-26100\n', { mode: 0o755 });
    const { exitCode, stderr } = await run(['.'], home, { PATH: `${windows}:${process.env['PATH']}` });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('tbuild runs inside WSL')]);
  });

  test("the exit code is the program's own", async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY missing /\n' });
    const { exitCode, stderr } = await run(['.'], context);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"/missing": not found');
  });

  test("the passwords of Docker's credential helpers reach the container", async () => {
    mkdirSync(join(home, '.docker'), { recursive: true });
    writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ credsStore: 'test' }));
    const answers = `case $1 in list) echo '{"registry.example":"me"}' ;; get) echo '{"Username":"me","Secret":"s3cret"}' ;; esac`;
    writeFileSync(join(bin, 'docker-credential-test'), `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
    writeFileSync(
      join(bin, 'engine'),
      '#!/bin/sh\nfor word; do case $word in --env=DOCKER_CONFIG=*) cat "${word#--env=DOCKER_CONFIG=}/config.json" ;; esac; done\n',
      { mode: 0o755 },
    );
    const { stdout } = await run(['.'], home, { TBUILD_ENGINE: join(bin, 'engine') });
    const auth = Buffer.from('me:s3cret').toString('base64');
    expect(JSON.parse(stdout)).toEqual({ auths: { 'registry.example': { auth } } });
  });

  test('commands that need no Linux need no engine', async () => {
    const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const none = { TBUILD_ENGINE: '/nonexistent', TBUILD_ROOT: scratchDirectory('store') };
    expect((await run(['--check', '.'], context, none)).stdout).toContain('Check complete');
    expect((await run(['--version'], context, none)).stdout).toMatch(/^tbuild \d/);
  });
});
