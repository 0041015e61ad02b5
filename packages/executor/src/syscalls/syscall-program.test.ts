import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { type Syscall, type SyscallMachine, encodeSyscallProgram } from './syscall-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'calls-'));
afterAll(() => rmSync(directory, { recursive: true }));

const QEMU = { x64: '/usr/bin/qemu-x86_64', arm64: '/usr/bin/qemu-aarch64' } as const;

function run(machine: SyscallMachine, calls: readonly Syscall[]) {
  const path = join(directory, `program-${machine}`);
  writeFileSync(path, encodeSyscallProgram(machine, { calls, reportTo: 1 }), { mode: 0o700 });
  const args = machine === process.arch ? [path] : [QEMU[machine], path];
  return spawnSync(args[0] ?? '', args.slice(1), { env: { ANY: 'thing' } });
}

function results(report: Buffer): number[] {
  return Array.from({ length: report.length / 4 }, (_, index) => report.readInt32LE(index * 4));
}

const missing: Syscall = {
  name: 'execve',
  args: [{ text: '/missing' }, { texts: ['x'] }, { texts: [] }],
  mayFail: true,
};

describe.each(['x64', 'arm64'] as const)('%s', (machine) => {
  const runs = needs({ met: machine === process.arch || existsSync(QEMU[machine]), lacks: QEMU[machine] });

  test('makes the calls and executes the first program that exists', runs, () => {
    const args = { texts: ['sh', '-c', 'pwd; echo "$A|$ANY|$1"', 'sh', "it's"] };
    const calls: Syscall[] = [
      { name: 'chdir', args: [{ text: '/usr' }], mayFail: false },
      missing,
      { name: 'execve', args: [{ text: '/bin/sh' }, args, { texts: ['A=1', 'PATH=/bin'] }], mayFail: true },
    ];
    const { status, stdout } = run(machine, calls);
    expect({ status, stdout: String(stdout) }).toEqual({ status: 0, stdout: "/usr\n1||it's\n" });
  });

  test('stops at a required call that fails and reports it', runs, () => {
    const { status, stdout } = run(machine, [
      { name: 'chdir', args: [{ text: '/' }], mayFail: false },
      { name: 'chdir', args: [{ text: '/etc/passwd' }], mayFail: false },
      { name: 'execve', args: [{ text: '/bin/true' }, { texts: [] }, { texts: [] }], mayFail: true },
    ]);
    expect(status).toBe(125);
    expect(results(stdout).slice(0, 2)).toEqual([0, -constants.errno.ENOTDIR]);
  });

  test('reports why nothing could be executed', runs, () => {
    const { status, stdout } = run(machine, [
      missing,
      { ...missing, args: [{ text: '/etc/passwd' }, { texts: [] }, { texts: [] }] },
    ]);
    expect(status).toBe(125);
    expect(results(stdout)).toEqual([-constants.errno.ENOENT, -constants.errno.EACCES]);
  });

  test.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['exit 255', 255],
    ['kill -9 $$', 137],
    ['kill -15 $$', 143],
  ])('ends as the child of the child that it forked: %s', runs, (script, expected) => {
    const fork: Syscall = { name: 'fork', args: [], mayFail: false };
    const { status, stdout } = run(machine, [
      fork,
      fork,
      {
        name: 'execve',
        args: [{ text: '/bin/sh' }, { texts: ['sh', '-c', `echo child; ${script}`] }, { texts: [] }],
        mayFail: true,
      },
    ]);
    expect({ status, stdout: String(stdout) }).toEqual({ status: expected, stdout: 'child\n' });
  });

  test('reports a failure in the forked child once', runs, () => {
    const { status, stdout } = run(machine, [
      { name: 'fork', args: [], mayFail: false },
      { name: 'chdir', args: [{ text: '/etc/passwd' }], mayFail: false },
    ]);
    expect(status).toBe(125);
    expect(results(stdout)).toEqual([0, -constants.errno.ENOTDIR]);
  });
});

test('encodeSyscallProgram refuses a program that is too long for its jumps', () => {
  const calls = Array.from({ length: 513 }, (): Syscall => ({ name: 'chdir', args: [{ text: '/' }], mayFail: false }));
  expect(() => encodeSyscallProgram('arm64', { calls, reportTo: 1 })).toThrow('too long');
});
