import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { needs } from '../../../../test/support/requirements.ts';
import { encodeExitProgram, exitPrograms } from './exit-program.ts';
import { findEmulation } from './find-emulation.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-emulation-'));
afterAll(() => rmSync(directory, { recursive: true }));
const host = { os: process.platform, architecture: process.arch === 'x64' ? 'amd64' : process.arch };

describe('the exit program', needs('qemu-aarch64-static'), () => {
  test.each(Object.entries(exitPrograms))('of %s exits with 0 in its emulator', (architecture, program) => {
    const file = join(directory, architecture);
    writeFileSync(file, encodeExitProgram(program), { mode: 0o755 });
    const { status, signal } = spawnSync(`qemu-${program.emulator}-static`, [file]);
    expect({ status, signal }).toEqual({ status: 0, signal: null });
  });
});

const find = (architecture: string, searchPath: readonly string[] = []) =>
  findEmulation({ os: host.os, architecture }, { directory, host, searchPath });

describe('this machine', needs('root'), () => {
  test('findEmulation is native for the own architecture, whose exit program works', async () => {
    expect(await find(host.architecture)).toEqual({ kind: 'native' });
    const other = { os: host.os, architecture: 'other' };
    expect(await findEmulation(host, { directory, host: other, searchPath: [] })).toEqual({ kind: 'native' });
  });

  test.each(Object.entries(exitPrograms))(
    'findEmulation reports %s as runnable only if the kernel runs its programs',
    async (architecture, program) => {
      const file = join(directory, `${architecture}-here`);
      writeFileSync(file, encodeExitProgram(program), { mode: 0o755 });
      const { kind } = await find(architecture);
      expect(['native', 'bound'].includes(kind), kind).toBe(spawnSync(file).status === 0);
    },
  );

  test('findEmulation is native for an unknown architecture and none for another system', async () => {
    expect(await find('made-up')).toEqual({ kind: 'native' });
    const windows = { os: 'windows', architecture: 'amd64' };
    expect(await findEmulation(windows, { directory, host, searchPath: [] })).toEqual({ kind: 'none' });
  });
});
