import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { BASE_DOCKERFILE, REHEARSED_DOCKERFILE } from '../../../packages/cli/src/startup/rehearsed-dockerfile.ts';
import { baseImageArguments } from '../../support/base-images.ts';
import { otherNodes, withNode } from '../../support/nodes.ts';
import { patiently } from '../../support/patience.ts';
import { program } from '../../support/program.ts';
import { runProcess } from '../../support/run-process.ts';
import { scratchDirectory } from '../../support/scratch.ts';
import { defaultStore, good, runTbuild, writeFiles } from '../../support/tbuild.ts';

const cache = scratchDirectory('cache');
const options = { env: { XDG_CACHE_HOME: cache } };

/** Waits for the snapshot that follows the second build. */
function snapshotMade(directory = cache): Promise<void> {
  return vi.waitFor(() => expect(snapshotNotes(directory)).toHaveLength(1), patiently);
}

/** Returns the command that the launcher finally executes, from the shell's trace. */
async function commandLine(args: readonly string[], launcher = program, directory = cache): Promise<string> {
  const env = { XDG_CACHE_HOME: directory, HOME: directory, TBUILD_ROOT: defaultStore() };
  const { stderr } = await runProcess('sh', ['-x', launcher, ...args], { env });
  return /^\+ exec (.*)$/m.exec(stderr)?.[1] ?? stderr;
}

function snapshotNotes(directory = cache): readonly string[] {
  return readdirSync(join(directory, 'tbuild')).filter((name) => /^snapshot-.*node$/.test(name));
}

/** Installs the program as pnpm does: a link names the place where the packages that it needs are beside it. */
function installAsPnpm(project: string): void {
  const packages = join(project, '.pnpm/node_modules');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(program, '../..', name), join(packages, 'tbuild', name), { recursive: true });
  for (const name of ['koffi', '@koromix'])
    symlinkSync(join(import.meta.dirname, '../../../node_modules', name), join(packages, name));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync('../.pnpm/node_modules/tbuild', join(project, 'node_modules/tbuild'));
}

/** Reads in V8's header, which ends in its version, that a start need not compute hashes with another seed. */
function keepsHashes(snapshot: string): boolean {
  const head = readFileSync(snapshot).subarray(0, 1024);
  const version = head.indexOf(process.versions.v8);
  return [version - 8, version - 12].some((word) => head.readUInt32LE(word) === 0);
}

/** Counts a string that only the code of RUN steps has: their source has it, and so has the code once it is compiled. */
function ofRunSteps(file: string): number {
  return readFileSync(file, 'latin1').split('cgroup.procs').length - 1;
}

test('the second build makes a snapshot, and the third starts from it with the same result', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY file /\nRUN cat /file > /copy\n', file: 'text' });
  const args = ['-q', ...baseImageArguments(), context];
  const { stdout: first } = good(await runTbuild(args, options));
  expect(snapshotNotes()).toEqual([]);
  // What is set for builds of the user does not reach those that make the snapshot.
  const rule = { action: 'DENY', selector: { identifier: 'docker-image://docker.io/library/base:latest' } };
  const policy = writeFiles({ 'policy.json': JSON.stringify({ rules: [rule] }) });
  const env = { ...options.env, EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: join(policy, 'policy.json') };
  good(await runTbuild(args, { env }));
  await snapshotMade();
  const [note = ''] = snapshotNotes();
  const [, , snapshot = ''] = readFileSync(join(cache, 'tbuild', note), 'utf8').split('\n');
  expect(await commandLine(args)).toContain(`--snapshot-blob ${snapshot}`);
  expect(keepsHashes(snapshot)).toBe(true);
  expect(readFileSync(snapshot).subarray(-8), 'the number of codes of Node at the end').toEqual(Buffer.alloc(8));
  // Later versions of Node refuse code of another process.
  const main = join(program, '../../dist/tbuild.cjs');
  if (process.version.startsWith('v20.')) expect(ofRunSteps(snapshot)).toBeGreaterThan(ofRunSteps(main));
  expect(good(await runTbuild(args, options)).stdout).toBe(first);

  // Modules loaded on demand, and a step that runs, from the snapshot.
  good(await runTbuild(['--no-cache', ...args], options));
  expect(good(await runTbuild(['images'], options)).stdout).toContain('REPOSITORY');
});

test('timers and signals work in a process that started from a snapshot', async () => {
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo early; sleep 30\n' });
  const args = ['--progress', 'plain', ...baseImageArguments(), context];
  expect(await commandLine(['--version'])).toContain('--snapshot-blob');
  const env = { ...process.env, ...options.env, HOME: cache, TBUILD_ROOT: defaultStore() };
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const chunk of child.stderr) if (String(chunk).includes(' early\n')) child.kill();
  expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(130);
});

test('another installation of the program starts from the same snapshot, with parts of its own', async () => {
  const [directory, projects] = [scratchDirectory('cache'), scratchDirectory('projects')];
  const [first, second] = [join(projects, 'first'), join(projects, 'second')];
  installAsPnpm(first);
  const launcherOf = (project: string) => join(project, 'node_modules/tbuild/bin/tbuild');
  const context = writeFiles({ Dockerfile: 'FROM busybox\nRUN echo > /made\n' });
  const env = { XDG_CACHE_HOME: directory, HOME: directory, TBUILD_ROOT: scratchDirectory('store') };
  const build = async (project: string) =>
    good(await runProcess(launcherOf(project), ['--no-cache', ...baseImageArguments(), context], { env }));
  await build(first);
  await build(first);
  await snapshotMade(directory);
  // Nothing of the first one is left to be found.
  renameSync(first, second);
  expect(await commandLine(['--version'], launcherOf(second), directory)).toContain('--snapshot-blob');
  await build(second);
});

test('the snapshot contains the code that the rehearsal compiled', async () => {
  const store = scratchDirectory('store');
  const base = writeFiles({ Dockerfile: BASE_DOCKERFILE });
  const layout = join(scratchDirectory('layout'), 'base');
  const outputs = ['--output', 'type=image', '--output', `type=oci,tar=false,dest=${layout}`];
  good(await runTbuild(['--root', store, '--tag', 'base', ...outputs, base], options));
  const rehearsed = writeFiles({ Dockerfile: REHEARSED_DOCKERFILE });
  const args = ['--root', store, '--build-context', `layout=oci-layout://${layout}`, rehearsed];
  good(await runTbuild(args, options));
  // A build that finds trash starts a process, which a snapshot cannot hold.
  mkdirSync(join(store, 'trash/left'), { recursive: true });
  const main = join(program, '../../dist/tbuild.cjs');
  const snapshot = (rehearsal: readonly string[]) => {
    const file = join(scratchDirectory('snapshot'), 'blob');
    const build = ['--no-warnings', '--snapshot-blob', file, '--build-snapshot', main, ...rehearsal];
    return runProcess(process.execPath, build).then(({ stderr }) => ({ stderr, size: readFileSync(file).length }));
  };
  const [without, made] = await Promise.all([snapshot([]), snapshot(args)]);
  expect(made.stderr).toBe('');
  expect(made.size).toBeGreaterThan(without.size + 100_000);
});

test('root without capabilities records owners, although root with them made the snapshot', async () => {
  const context = writeFiles({ Dockerfile: 'FROM scratch\nCOPY --chown=5:6 f /\n', f: 'f' });
  expect(await commandLine(['--version'])).toContain('--snapshot-blob');
  const dated = { ...options.env, SOURCE_DATE_EPOCH: '0' };
  const { stdout } = good(await runTbuild(['-q', context], { env: dated }));
  const without = ['--bounding-set', '-all', '--inh-caps', '-all', program, '-q', context];
  const env = { ...dated, HOME: cache, TBUILD_ROOT: scratchDirectory('store') };
  expect(await runProcess('setpriv', without, { env })).toMatchObject({ exitCode: 0, stdout });
});

// Started from a snapshot, Node 24 ends at once a thread that loads the same modules.
test.each(otherNodes)(
  '$name starts from its own snapshot, also for a build with steps and large copies',
  async ({ path }) => {
    const directory = scratchDirectory('cache');
    const files = Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`files/${n}`, String(n)]));
    const context = writeFiles({ Dockerfile: 'FROM busybox\nCOPY files /files\nRUN test -e /files/1099\n', ...files });
    const build = () =>
      runTbuild(['--no-cache', ...baseImageArguments(), context], {
        store: scratchDirectory('store'),
        env: { XDG_CACHE_HOME: directory, ...withNode(path) },
      });
    good(await build());
    good(await build());
    await snapshotMade(directory);
    const [note = ''] = snapshotNotes(directory);
    expect(readFileSync(join(directory, 'tbuild', note), 'utf8').split('\n')[2]).not.toBe('');
    good(await build());
  },
);
