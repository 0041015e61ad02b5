import { join } from 'node:path';
import { expect, test } from 'vitest';
import { program } from '../../support/program.ts';
import { needs } from '../../support/requirements.ts';
import { runChecked } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const project = writeFiles({
  Dockerfile: 'ARG BASE=busybox\nFROM ${BASE} AS build\nARG VERSION\nFROM scratch AS ship\n',
  'docker/': '',
  'docker.txt': '',
});
const store = scratchDirectory('store');

async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = good(await runTbuild(['__complete', ...words], { cwd: project, store }));
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

test('commands, options, stages, build arguments, images and rules are completed', async () => {
  good(await runTbuild(['-t', 'app:1', '-'], { store, input: 'FROM scratch\nLABEL a=b\n' }));
  expect(await complete('imaget')).toEqual(['imagetools']);
  expect(await complete('imagetools', '')).toEqual(['create', 'inspect', 'rm']);
  expect(await complete('build', '--no-cache')).toEqual(['--no-cache', '--no-cache-filter']);
  expect(await complete('--target', '')).toEqual(['build', 'ship']);
  expect(await complete('--target=s')).toEqual(['--target=ship']);
  expect(await complete('--build-arg', 'V')).toEqual(['VERSION=']);
  expect(await complete('-t', '')).toEqual(['app:1']);
  expect(await complete('rmi', 'a')).toEqual(['app:1']);
  expect(await complete('explain', 'Stage')).toEqual(['StageNameCasing']);
  expect(await complete('--progress', 'g')).toEqual(['gitlab']);
});

test('the shell completes paths itself', async () => {
  expect(await complete('-f', 'doc')).toEqual([':file']);
  expect(await complete('build', '')).toEqual([':directory']);
  expect(await complete('./')).toEqual([':directory']);
});

/** Returns what bash would offer at the end of a line. */
async function inBash(line: string): Promise<string> {
  const script = `source <("${program}" completion bash); COMP_LINE=$1 COMP_POINT=\${#1}; _tbuild; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { TBUILD_ROOT: store, PATH: `${join(program, '..')}:/usr/bin:/bin:${process.env['PATH']}` };
  return runChecked('bash', ['-c', script, 'bash', line], { cwd: project, env });
}

test('bash replaces only what follows "=" and ":"', needs('bash'), async () => {
  expect(await inBash('tbuild imaget')).toBe('imagetools\n');
  expect(await inBash('tbuild build --target=s')).toBe('ship\n');
  expect(await inBash('tbuild build --target ')).toBe('build\nship\n');
  expect(await inBash('tbuild tag app:')).toBe('1\n');
  expect((await inBash('tbuild -f doc')).trim().split('\n').toSorted()).toEqual(['docker', 'docker.txt']);
  expect(await inBash('tbuild build doc')).toBe('docker\n');
});

test('the scripts are valid in their shells', needs('bash', 'zsh', 'fish'), async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = good(await runTbuild(['completion', shell]));
    await runChecked(shell, ['-n', join(writeFiles({ script: stdout }), 'script')]);
  }
});

test('zsh and fish offer the same', needs('zsh', 'fish'), async () => {
  const env = { TBUILD_ROOT: store, PATH: `${join(program, '..')}:/usr/bin:/bin:${process.env['PATH']}` };
  const fish = `"${program}" completion fish | source; complete --do-complete 'tbuild build --target '`;
  expect(await runChecked('fish', ['--no-config', '-c', fish], { cwd: project, env })).toBe('build\nship\n');
  const zsh = `autoload -Uz compinit && compinit -u -D; compdef() { :; }; source <("${program}" completion zsh)
    _describe() { local name=$4; print -l -- "\${(P@)name}"; }
    words=(tbuild build --target ''); CURRENT=4; _tbuild`;
  expect(await runChecked('zsh', ['-f', '-c', zsh], { cwd: project, env })).toBe('build:build\nship:ship\n');
});
