import { describe, expect, test } from 'vitest';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runProcess, type ProcessResult } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { buildGood, buildInline, runTbuild } from '../../support/tbuild.ts';

const FILES = { Dockerfile: 'FROM scratch\nCOPY . /\n' };

describe('a directory in which the kernel creates no files', () => {
  test.each([
    ['-o', 'type=local,dest=/proc/none/x'],
    ['-o', 'type=tar,dest=/proc/none/x.tar'],
    ['-o', 'type=oci,dest=/proc/none/x.tar'],
    ['-o', 'type=oci,tar=false,dest=/proc/none/x'],
    ['--cache-to', 'type=local,dest=/proc/none'],
  ])('%s %s fails with a message that names the directory', async (...args) => {
    const { exitCode, stderr } = await buildInline(FILES, { args });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('ERROR: Directory "/proc/none" cannot be made: its file system refuses the name\nhint: ');
  });

  test('--root in it fails with a message that names the store', async () => {
    const { exitCode, stderr } = await runTbuild(['images', '--root', '/proc/none/a/b']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Cannot create the store "/proc/none/a/b" (ENOENT)\nhint: Name a directory');
  });
});

test('a command with too few open files works, or says what to raise', async () => {
  const store = scratchDirectory('store');
  await buildGood(FILES, { store });
  const env = { HOME: scratchDirectory('home'), TBUILD_ROOT: store };
  for (const files of [20, 22, 24, 26]) {
    const { exitCode, stderr } = await runProcess('prlimit', [`--nofile=${files}`, program, 'images'], { env });
    if (exitCode === 0) continue;
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/too many open files\nhint: Raise the limit.*\n$/)]);
  }
});

describe('a store on a read-only file system', needs('root', 'unshare'), () => {
  const mounted = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"';

  /** Runs a command on a store that is mounted read-only. */
  function runReadOnly(store: string, args: readonly string[]): Promise<ProcessResult> {
    const command = ['--mount', 'sh', '-c', mounted, 'sh', store, program, ...args, '--root', store];
    return runProcess('unshare', command, { env: { HOME: scratchDirectory('home') } });
  }

  test('its images and their history are listed', async () => {
    const store = scratchDirectory('store');
    await buildGood(FILES, { store, args: ['-t', 'app:1'] });
    const { exitCode, stdout } = await runReadOnly(store, ['images']);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^app +1 /m)]);
    expect(await runReadOnly(store, ['history', 'app:1'])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([['prune', '--force'], ['fsck']])('%s says that it cannot be written to', async (...args) => {
    const store = scratchDirectory('store');
    await buildGood(FILES, { store });
    expect(await runReadOnly(store, args)).toMatchObject({
      exitCode: 1,
      stderr: `ERROR: The store "${store}" is on a read-only file system\nhint: Name a store that you may write to, with --root DIR or TBUILD_ROOT=DIR\n`,
    });
  });
});
