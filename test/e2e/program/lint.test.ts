import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { startTbuild } from '../../support/tbuild-terminal.ts';
import { runTbuild, writeFiles } from '../../support/tbuild.ts';

const BEFORE = 'from scratch as Base\r\nENV A b  c\r\nCOPY x \\\r\n\r\n  /y\r\nEXPOSE 80/TCP';
const AFTER = 'FROM scratch AS base\r\nENV A="b  c"\r\nCOPY x \\\r\n  /y\r\nEXPOSE 80/tcp';

const lint = (cwd: string, ...args: string[]) =>
  runTbuild(['lint', ...args], { cwd, store: scratchDirectory('store') });

test('lint reports what --check reports, and takes the path of a Dockerfile', async () => {
  const cwd = writeFiles({ 'app/Dockerfile': 'FROM scratch\nENV A b\n' });
  const { exitCode, stdout } = await lint(cwd, 'app/Dockerfile', '--format', 'json');
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ warnings: [{ ruleName: 'LegacyKeyValueFormat' }] });
  expect((await lint(join(cwd, 'app'))).stdout).toContain('1 warning has been found!');
});

test('the code of a finding fits a narrow terminal', needs('tmux'), async () => {
  const cwd = writeFiles({ Dockerfile: `FROM scratch\nCMD ${'many words '.repeat(20)}\n` });
  await using terminal = await startTbuild(['lint', cwd], { store: scratchDirectory('store'), columns: 50 });
  await terminal.screens();
  expect(await terminal.scrollback()).toMatch(/^ {3}2 \| >>> CMD many words .*…\n {5}\| {5}\^\^\^\n/m);
});

test('lint --fix replaces the file behind a link, keeps its mode, and reports what is left', async () => {
  const cwd = writeFiles({ Real: `${BEFORE}\nCMD echo\n`, x: '' });
  chmodSync(join(cwd, 'Real'), 0o664);
  symlinkSync('Real', join(cwd, 'Dockerfile'));
  const { exitCode, stdout, stderr } = await lint(cwd, '--fix');
  expect(stderr.split('\n')).toEqual([
    'Corrected Dockerfile:1 ConsistentInstructionCasing',
    'Corrected Dockerfile:1 StageNameCasing',
    'Corrected Dockerfile:1 FromAsCasing',
    'Corrected Dockerfile:2 LegacyKeyValueFormat',
    'Corrected Dockerfile:3 NoEmptyContinuation',
    'Corrected Dockerfile:6 ExposeProtoCasing',
    '',
  ]);
  expect(stdout).toContain('WARNING: JSONArgsRecommended');
  expect(exitCode).toBe(1);
  expect(readFileSync(join(cwd, 'Real'), 'utf8')).toBe(`${AFTER}\nCMD echo\n`);
  expect(statSync(join(cwd, 'Real')).mode & 0o777).toBe(0o664);
  expect(lstatSync(join(cwd, 'Dockerfile')).isSymbolicLink()).toBe(true);
});

test(
  'lint --fix of a Dockerfile on standard input prints it, and --diff prints a patch that git applies',
  needs('git'),
  async () => {
    const cwd = writeFiles({ Dockerfile: BEFORE, x: '' });
    const printed = spawnSync(program, ['lint', '--fix', '-'], { cwd, input: BEFORE, encoding: 'utf8' });
    expect(printed.stdout).toBe(AFTER);
    const { exitCode, stdout } = await lint(cwd, '--diff');
    expect(exitCode).toBe(1);
    expect(readFileSync(join(cwd, 'Dockerfile'), 'utf8')).toBe(BEFORE);
    const applied = spawnSync('git', ['apply', '--whitespace=nowarn', '-'], { cwd, input: stdout, encoding: 'utf8' });
    expect(applied.stderr).toBe('');
    expect(readFileSync(join(cwd, 'Dockerfile'), 'utf8')).toBe(AFTER);
    expect(await lint(cwd, '--diff')).toMatchObject({ exitCode: 0, stdout: '' });
  },
);

test('lint --fix leaves a Dockerfile that it cannot read as it is', async () => {
  const broken = 'from scratch as Base\nENV A b\nNOTHING x\n';
  const cwd = writeFiles({ Dockerfile: broken });
  const { exitCode, stderr } = await lint(cwd, '--fix');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Unknown instruction: NOTHING');
  expect(readFileSync(join(cwd, 'Dockerfile'), 'utf8')).toBe(broken);
  const diff = await lint(cwd, '--diff');
  expect(diff).toMatchObject({ exitCode: 1, stdout: '' });
  expect(diff.stderr).toContain('Dockerfile:3:1\n');
  expect(diff.stderr).toContain('   3 | >>> NOTHING x\n     |     ^^^^^^^\n');
  const bytes = Buffer.from('FROM scratch\nENV A \xe4\n', 'latin1');
  writeFileSync(join(cwd, 'Dockerfile'), bytes);
  expect((await lint(cwd, '--fix')).stderr).toContain('it is not UTF-8');
  expect(readFileSync(join(cwd, 'Dockerfile'))).toEqual(bytes);
  expect((await lint(cwd, '--fix', 'https://example.com/x.git')).stderr).toContain(
    'No file on this machine: "https://example.com/x.git"',
  );
});
