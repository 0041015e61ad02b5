import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesNaming } from '../../../../test/support/leftovers.ts';
import { encodeExitProgram, exitPrograms } from '../emulation/exit-program.ts';
import { type Emulation, findEmulation } from '../emulation/find-emulation.ts';
import { BUSYBOX, type ExecutorSuite } from './test-suite-context.ts';

/** Tests how a step starts, runs and ends. */
export function defineProcessTests(suite: ExecutorSuite): void {
  const { run, snapshotter, procTest } = suite;

  test('passes on output and exit code', async () => {
    expect(await run('echo out; echo err >&2; exit 7')).toMatchObject({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('returns 128 plus the number of a fatal signal', async () => {
    // Pid 1 of a namespace cannot be killed from inside; its child can.
    expect(await run('sh -c "kill -TERM \\$\\$"; exit $?')).toMatchObject({ exitCode: 143 });
  });

  test('sets the given environment and HOME', async () => {
    const env = ['PATH=/bin', 'A.B=x y', 'Q=\'"$(id)', 'N=1\n2', 'IFS=x', 'ENV=/nowhere'];
    const { stdout } = await run(['/bin/env', '-0'], { process: { env } });
    expect(stdout.split('\0').filter(Boolean).sort()).toEqual([...env, 'HOME=/'].sort());
  });

  test('obeys LD_PRELOAD in the process only', async () => {
    const env = ['PATH=/bin', 'LD_PRELOAD=/missing.so', 'LD_DEBUG=libs'];
    expect(await run('echo $LD_PRELOAD $LD_DEBUG', { process: { env } })).toMatchObject({
      stdout: '/missing.so libs\n',
      stderr: '',
    });
  });

  procTest('sets the host name', async () => {
    expect((await run('hostname')).stdout).toBe('buildkitsandbox\n');
  });

  test('creates a missing working directory and keeps it', async () => {
    const { stdout, active } = await run('pwd; stat -c "%a %u" .', { process: { cwd: '/new/work dir' } });
    expect(stdout).toBe('/new/work dir\n755 0\n');
    expect(readdirSync(join(active.upper, 'new'))).toEqual(['work dir']);
  });

  test('resolves links of the working directory inside the tree', async () => {
    const { stdout } = await run('pwd -P', { process: { cwd: '/absolute/x' } });
    expect(stdout).toBe('/tmp/x\n');
  });

  test('writes changes to the upper directory', async () => {
    const { active } = await run('echo 1 > /tmp/made; rm /etc/group');
    expect(readFileSync(join(active.upper, 'tmp/made'), 'utf8')).toBe('1\n');
    expect(lstatSync(join(active.upper, 'etc/group')).isCharacterDevice()).toBe(true);
  });

  test.each([
    ['missing', 'exec: "missing": executable file not found in $PATH'],
    ['/missing', 'exec: "/missing": stat /missing: no such file or directory'],
    ['/etc/passwd', 'exec: "/etc/passwd": permission denied'],
  ])('reports that %s cannot be executed', async (program, notExecuted) => {
    expect(await run([program])).toMatchObject({ exitCode: 1, notExecuted, stderr: `${notExecuted}\n` });
  });

  test("finds programs by the step's PATH in the tree", async () => {
    const { stdout } = await run(['tool', 'x'], {
      process: { env: ['PATH=/nowhere:/opt'] },
      before: (upper) => {
        mkdirSync(join(upper, 'opt'));
        writeFileSync(join(upper, 'opt/tool'), '#!/bin/sh\necho tool $1\n', { mode: 0o755 });
      },
    });
    expect(stdout).toBe('tool x\n');
  });

  test('runs programs of another architecture with a handler for the step', async ({ skip }) => {
    const found = await findForeign(suite.directory);
    skip(
      found.kind !== 'registered',
      `on this machine ${FOREIGN} needs no handler of a step's own, or cannot have one`,
    );
    const program = (upper: string) =>
      writeFileSync(join(upper, 'foreign'), encodeExitProgram(exitPrograms[FOREIGN]), { mode: 0o755 });
    const script = '/foreign 2> /dev/null && echo ran; id -u; id -G; chown 5:6 /tmp && stat -c %u:%g /tmp';
    const user = { uid: 0, gid: 0, groups: [0, 10] };
    const runWith = async (handler: string | undefined) => {
      const other = await snapshotter().prepare('base');
      const mounts = [{ type: 'overlay', mount: other.mount, target: '/other' }] as const;
      return await run(script, { before: program, mounts, handler, process: { user } });
    };
    expect(await runWith(undefined)).toMatchObject({ exitCode: 0, stdout: '0\n0 10\n5:6\n' });
    const rule = found.kind === 'registered' ? found.rule : undefined;
    expect(await runWith(rule)).toMatchObject({ exitCode: 0, stdout: 'ran\n0\n0 10\n5:6\n' });
  });

  test('runs on an empty tree and keeps /dev, /proc and /sys', async () => {
    const { exitCode, stdout, active } = await run(['/busybox', 'ls', '/'], {
      base: '',
      before: (upper) => copyFileSync(BUSYBOX ?? '', join(upper, 'busybox')),
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'busybox\ndev\nproc\nsys\n' });
    expect(readdirSync(active.upper)).toEqual(['busybox', 'dev', 'proc', 'sys']);
    expect(readdirSync(join(active.upper, 'dev'))).toEqual([]);
  });

  test('kills what the step left behind', async () => {
    const { exitCode, active } = await run('(sleep 0.4; echo late > /tmp/late) > /dev/null 2>&1 & exit 0');
    expect(exitCode).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(existsSync(join(active.upper, 'tmp/late'))).toBe(false);
  });

  test('kills everything on abort', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const marker = `81${Math.floor(Math.random() * 1e6)}`;
    const script = `trap "" TERM INT; sleep ${marker} & sleep ${marker}`;
    await expect(run(script, { signal: controller.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(processesNaming(`sleep\0${marker}`)).toEqual([]);
  });

  test('passes on 30 MB of output', async () => {
    const { stdout } = await run(
      'yes 0123456789abcdef | head -c 30000000 | md5sum; yes 0123456789abcdef | head -c 30000000',
    );
    expect(stdout.length).toBe(30_000_000 + 36);
  });

  test('runs many steps at once and leaves nothing in its directory', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, (_, index) => run(`echo ${index}; sleep 0.1`)));
    expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`));
    expect(readdirSync(join(suite.directory, 'run')).filter((name) => name.startsWith('step-'))).toEqual([]);
  });
}

/** An architecture whose emulator Debian packages and nobody registers. */
const FOREIGN = 'loong64';

function findForeign(directory: string): Promise<Emulation> {
  const host = { os: process.platform, architecture: process.arch };
  const searchPath = (process.env['PATH'] ?? '').split(':');
  return findEmulation({ os: host.os, architecture: FOREIGN }, { directory, host, searchPath });
}
