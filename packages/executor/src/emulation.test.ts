import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hasProgram, isRoot } from '../../../test/support/requirements.ts';
import { canRunPlatform } from './emulation.ts';
import { encodeExitProgram, exitPrograms } from './exit-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-emulation-'));
afterAll(() => rmSync(directory, { recursive: true }));
const host = { os: process.platform, architecture: process.arch === 'x64' ? 'amd64' : process.arch };

/** Names of qemu's user emulators. */
const emulators: Readonly<Record<string, string>> = {
  '386': 'i386',
  amd64: 'x86_64',
  arm: 'arm',
  arm64: 'aarch64',
  loong64: 'loongarch64',
  mips64le: 'mips64el',
  ppc64le: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

describe.skipIf(!hasProgram('qemu-aarch64-static'))('the smallest program', () => {
  test.each(Object.entries(exitPrograms))('of %s exits with 0 in its emulator', (architecture, program) => {
    const file = join(directory, architecture);
    writeFileSync(file, encodeExitProgram(program), { mode: 0o755 });
    const { status, signal } = spawnSync(`qemu-${emulators[architecture]}-static`, [file]);
    expect({ status, signal }).toEqual({ status: 0, signal: null });
  });
});

describe.skipIf(!isRoot)('this machine', () => {
  const canRun = (architecture: string) => canRunPlatform({ os: host.os, architecture }, { directory, host });

  test('runs its own programs, and the smallest one is sound natively', async () => {
    expect(await canRun(host.architecture)).toBe(true);
    expect(await canRunPlatform(host, { directory, host: { os: host.os, architecture: 'other' } })).toBe(true);
  });

  test('does not run those of an architecture that nobody emulates', async () => {
    expect(await canRun('s390x')).toBe(false);
  });

  test('is given the benefit of the doubt where nothing can be tried', async () => {
    expect(await canRun('made-up')).toBe(true);
    expect(await canRunPlatform({ os: 'windows', architecture: 'amd64' }, { directory, host })).toBe(false);
  });
});
