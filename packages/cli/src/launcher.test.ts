import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

// A package of the published layout, whose program shows what the launcher gave it.
const directory = mkdtempSync(join(tmpdir(), 'launcher-'));
const launcher = join(directory, 'package/bin/tbuild');
for (const name of ['package/bin', 'package/dist', 'home']) mkdirSync(join(directory, name), { recursive: true });
copyFileSync(fileURLToPath(new URL('../bin/tbuild', import.meta.url)), launcher);
writeFileSync(
  join(directory, 'package/dist/tbuild.js'),
  `const { env, argv, pid } = process;
  if (argv[2] === 'wait') { process.on('SIGTERM', () => process.exit(42)); setInterval(() => {}, 1000); console.log('waiting'); }
  else { console.log(JSON.stringify({ pid, env, args: argv.slice(2), mounts: require('fs').readlinkSync('/proc/self/ns/mnt') })); process.exitCode = Number(argv[3] ?? 0); }`,
);
afterAll(() => rmSync(directory, { recursive: true }));

const base = { PATH: process.env.PATH, HOME: join(directory, 'home'), TBUILD_NODE: process.execPath };

function launch(args: readonly string[], env: Record<string, string | undefined> = {}, program = launcher) {
  return spawnSync(program, args, { env: { ...base, ...env }, encoding: 'utf8' });
}

test('arguments and exit code pass', () => {
  const { status, stdout } = launch(['a b', '7', "it's", '']);
  expect(status).toBe(7);
  expect(JSON.parse(stdout).args).toEqual(['a b', '7', "it's", '']);
});

test('finds its package through a symbolic link', () => {
  const link = join(directory, 'link');
  symlinkSync(launcher, link);
  expect(launch(['x', '3'], {}, link).status).toBe(3);
});

test('certificates are handed on without Node parsing them at start', () => {
  const { env } = JSON.parse(launch([], { NODE_EXTRA_CA_CERTS: '/some/file' }).stdout);
  expect(env.TBUILD_EXTRA_CA_CERTS).toBe('/some/file');
  expect(env.NODE_EXTRA_CA_CERTS).toBeUndefined();
});

test('says who started it, and does not believe what it inherits', () => {
  const { env, mounts } = JSON.parse(launch([], { TBUILD_UID: '77', TBUILD_ISOLATION_VERDICT: 'no' }).stdout);
  expect(env.TBUILD_UID).toBe(String(process.getuid?.()));
  const contained = env.TBUILD_ISOLATION_VERDICT === undefined;
  const here = spawnSync('readlink', ['/proc/self/ns/mnt'], { encoding: 'utf8' }).stdout.trim();
  expect(mounts !== here).toBe(contained);
});

test('help needs no namespace', () => {
  const { env } = JSON.parse(launch(['--help']).stdout);
  expect(env.TBUILD_UID).toBeUndefined();
});

test('signals reach the program itself', async () => {
  const child = spawn(launcher, ['wait'], { env: base, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([42, null]);
});

test('no Node, or one too old', () => {
  const old = join(directory, 'old-node');
  writeFileSync(old, '#!/bin/sh\necho v20.18.1\n');
  chmodSync(old, 0o755);
  expect(launch([], { TBUILD_NODE: old })).toMatchObject({
    status: 2,
    stderr: `tbuild: Node.js 20.19 or newer is needed, found v20.18.1 as "${old}". Install a newer one, or set TBUILD_NODE to its path\n`,
  });
  expect(launch([], { TBUILD_NODE: undefined, PATH: join(directory, 'home') }).stderr).toContain(
    'no "node" is on the PATH',
  );
});
