import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { baseImage, type BaseImageName } from '../../support/base-images.ts';
import { docker } from '../../support/docker.ts';
import { needs } from '../../support/requirements.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { sharedService } from '../../support/services.ts';
import { good, runTbuild, writeFiles } from '../../support/tbuild.ts';

type Files = Readonly<Record<string, string>>;

const json = (value: object): string => JSON.stringify(value);

/** Projects as people have them, and the bases that their Dockerfiles name. */
const PROJECTS: readonly (readonly [name: string, kind: string, files: Files, bases: readonly string[]])[] = [
  ['npm', 'node', { 'package.json': json({ dependencies: { a: '1' } }), 'package-lock.json': '{}' }, ['node:24-slim']],
  [
    'pnpm with a build',
    'node',
    {
      'package.json': json({
        scripts: { build: 'tsc' },
        devDependencies: { typescript: '5' },
        engines: { node: '>=22' },
      }),
      'pnpm-lock.yaml': '',
    },
    ['node:22-slim'],
  ],
  ['yarn', 'node', { 'package.json': json({ dependencies: { a: '1' } }), 'yarn.lock': '' }, ['node:24-slim']],
  ['requirements', 'python', { 'requirements.txt': 'flask\n', 'app.py': '' }, ['python:3.13-slim']],
  ['pyproject', 'python', { 'pyproject.toml': 'requires-python = ">=3.12"\n' }, ['python:3.12-slim']],
  ['go', 'go', { 'go.mod': 'module example.org/tool\n\ngo 1.24\n', 'main.go': '' }, ['golang:1.24']],
  [
    'rust',
    'rust',
    { 'Cargo.toml': '[package]\nname = "tool"\n', 'Cargo.lock': '' },
    ['rust:1.90-bookworm', 'debian:12-slim'],
  ],
  ['maven', 'java', { 'pom.xml': '' }, ['maven:3.9-eclipse-temurin-21', 'eclipse-temurin:21-jre']],
  ['gradle', 'java', { 'build.gradle.kts': '' }, ['gradle:8-jdk21', 'eclipse-temurin:21-jre']],
  ['composer', 'php', { 'composer.json': '{}', 'public/index.php': '' }, ['composer:2', 'php:8.4-apache']],
  ['makefile', 'c', { Makefile: 'all: tool\n\ntool: tool.c\n', 'tool.c': '' }, ['gcc:15']],
  [
    'workspaces',
    'node',
    { 'package.json': json({ workspaces: ['a'], scripts: { build: 'x' } }), 'a/package.json': '{}' },
    ['node:24-slim'],
  ],
  ['cmake', 'c', { 'CMakeLists.txt': 'add_executable(tool main.c)\n', 'main.c': '' }, ['gcc:15']],
  ['autotools', 'c', { 'configure.ac': '', 'Makefile.am': 'bin_PROGRAMS = tool\n', 'x.c': '' }, ['gcc:15']],
  ['pages', 'static', { 'public/index.html': '<p>hello\n' }, ['busybox:1.37']],
];

/** Lets a Dockerfile name bases that no registry has to have. */
function standIns(bases: readonly string[], image: BaseImageName): string[] {
  return bases.flatMap((base) => ['--build-context', `${base}=oci-layout://${baseImage(image)}`]);
}

describe('the files that init writes', () => {
  test.each(PROJECTS)(
    'for a project with %s pass every check, and explain has no advice',
    async (_, kind, files, bases) => {
      const project = writeFiles(files);
      for (const args of [[], ['--explain-lines', '--force']]) {
        const { stdout } = good(await runTbuild(['init', ...args, project]));
        expect(stdout).toContain(`Build the image (${kind}) with: tbuild -t `);
        const checked = await runTbuild(['build', '--check', ...standIns(bases, 'busybox'), project]);
        expect(good(checked).stdout + checked.stderr).toContain('no warnings found');
        expect(good(await runTbuild(['explain', project])).stdout).toContain('No advice.');
      }
      const explained = readFileSync(join(project, 'Dockerfile'), 'utf8');
      expect(explained).toMatch(/^# \w/m);
      expect(explained).toMatch(/^USER 1000:1000$/m);
    },
  );

  const RUNNING: readonly (readonly [
    string,
    string | Files,
    Readonly<Record<string, BaseImageName>>,
    readonly string[],
  ])[] = [
    ['c', join(import.meta.dirname, '../../../fixtures/contexts/c-program'), { 'gcc:15': 'debian-build' }, ['--help']],
    [
      'node',
      { 'package.json': json({ main: 'main.js' }), 'main.js': 'console.log("usage", process.getuid())' },
      { 'node:24-slim': 'node' },
      [],
    ],
    [
      'python',
      { 'requirements.txt': '', 'main.py': 'import os, sys\nprint("usage", os.getuid(), sys.prefix)\n' },
      { 'python:3.13-slim': 'debian-python' },
      [],
    ],
    [
      'static',
      { 'index.html': 'usage\n' },
      { 'busybox:1.37': 'busybox' },
      ['sh', '-c', 'busybox httpd -p 8080 -h /srv && wget -qO- http://127.0.0.1:8080'],
    ],
  ];

  test.each(RUNNING)('build and run (%s)', needs('docker'), async (kind, source, bases, command) => {
    const project = typeof source === 'string' ? scratchDirectory(kind) : writeFiles(source);
    if (typeof source === 'string') {
      cpSync(source, project, { recursive: true });
      rmSync(join(project, 'Dockerfile'));
    }
    good(await runTbuild(['init', project]));
    const contexts = Object.entries(bases).flatMap(([base, image]) => standIns([base], image));
    const [host, name] = [await sharedService('docker'), `init-${kind}:1`];
    const archive = join(scratchDirectory('archive'), 'image.tar');
    const output = `type=docker,dest=${archive}`;
    good(await runTbuild(['build', '--tag', name, '--output', output, ...contexts, project]));
    await docker(host, ['load', '--quiet', '--input', archive]);
    expect(await docker(host, ['run', '--rm', name, ...command])).toMatch(/usage/i);
  });
});

describe('init', () => {
  test('replaces no file without --force', async () => {
    const project = writeFiles({ 'main.py': '', Dockerfile: 'FROM scratch\n', '.dockerignore': 'own\n' });
    const refused = await runTbuild(['init', project]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('There is a file "Dockerfile" already'),
    ]);
    expect(readFileSync(join(project, 'Dockerfile'), 'utf8')).toBe('FROM scratch\n');
    rmSync(join(project, 'Dockerfile'));
    expect(good(await runTbuild(['init', project])).stdout).toContain('Kept .dockerignore');
    expect(readFileSync(join(project, '.dockerignore'), 'utf8')).toBe('own\n');
    good(await runTbuild(['init', '--force', project]));
    expect(readFileSync(join(project, '.dockerignore'), 'utf8')).toContain('__pycache__');
  });

  test('writes nothing with --print', async () => {
    const project = writeFiles({ 'main.py': '' });
    expect(good(await runTbuild(['init', '--print', project])).stdout).toMatch(/^FROM python:/);
    expect(existsSync(join(project, 'Dockerfile'))).toBe(false);
  });

  test.each([
    [{ notes: '' }, [], 'do not show what kind of project it is', '--type'],
    [{ 'go.mod': '', 'main.py': '' }, [], 'show several kinds: python, go', '--type python'],
    [{ 'main.py': '' }, ['--type', 'pyton'], 'Invalid --type "pyton"', 'python'],
  ])('asks for the kind where the files %j do not say it', async (files, args, message, hint) => {
    const { exitCode, stderr } = await runTbuild(['init', ...args, writeFiles(files)]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });
});
