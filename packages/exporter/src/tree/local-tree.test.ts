import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { FileType, mknod } from '@tbuild/linux';
import { makeWhiteout } from '@tbuild/snapshot';
import { afterAll, expect, test } from 'vitest';
import { isRoot, needs } from '../../../../test/support/requirements.ts';
import type { Exportable } from '../exporter.ts';
import { amd64, arm64, noReport, noSignal, testResult } from '../test-image.ts';
import { localTree } from './local-tree.ts';
import { tarTree } from './tar-tree.ts';

const directory = mkdtempSync(join(tmpdir(), 'tbuild-local-'));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;
const fresh = (): string => join(directory, String(count++));
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A stack of two layers, the upper one with a deleted file where it may be made. */
function layers(): readonly string[] {
  const [lower, upper] = [fresh(), fresh()];
  mkdirSync(join(lower, 'etc'), { recursive: true });
  mkdirSync(join(upper, 'etc'), { recursive: true });
  writeFileSync(join(lower, 'etc/base'), 'base');
  writeFileSync(join(lower, 'etc/gone'), 'gone');
  if (isRoot) makeWhiteout(join(upper, 'etc/gone'));
  writeFileSync(join(upper, 'etc/tool'), 'tool');
  chmodSync(join(upper, 'etc/tool'), 0o4750);
  linkSync(join(upper, 'etc/tool'), join(upper, 'etc/again'));
  symlinkSync('/etc/base', join(upper, 'link'));
  utimesSync(join(upper, 'etc/tool'), 1_000_000, 1_000_000);
  utimesSync(join(upper, 'etc'), 2_000_000, 2_000_000);
  return [lower, upper];
}

async function treeResult(openRootfs: () => Promise<readonly string[]>, platforms = [amd64]): Promise<Exportable> {
  const result = await testResult([], platforms);
  return { ...result, images: result.images.map(({ image }) => ({ image, openRootfs })) };
}

test('a local tree has the merged files with their modes, times and links', async () => {
  const destination = fresh();
  await localTree({ destination, flavour: 'trusted', owner }).export(
    await treeResult(async () => layers()),
    noReport,
    noSignal,
  );
  expect(readdirSync(join(destination, 'etc')).filter((name) => name !== 'gone')).toEqual(['again', 'base', 'tool']);
  expect(existsSync(join(destination, 'etc/gone'))).toBe(!isRoot);
  const tool = lstatSync(join(destination, 'etc/tool'));
  expect([tool.mode & 0o7777, tool.mtimeMs, tool.ino]).toEqual([
    0o4750,
    1e9,
    lstatSync(join(destination, 'etc/again')).ino,
  ]);
  expect(lstatSync(join(destination, 'etc')).mtimeMs).toBe(2e9);
  expect(readlinkSync(join(destination, 'link'))).toBe('/etc/base');
});

test('files in the directory stay, except those that the image replaces', async () => {
  const destination = fresh();
  mkdirSync(join(destination, 'etc'), { recursive: true });
  writeFileSync(join(destination, 'etc/mine'), 'mine');
  writeFileSync(join(destination, 'etc/base'), 'old');
  await localTree({ destination, flavour: 'trusted', owner }).export(
    await treeResult(async () => layers()),
    noReport,
    noSignal,
  );
  expect(['mine', 'base'].map((name) => readFileSync(join(destination, 'etc', name), 'utf8'))).toEqual([
    'mine',
    'base',
  ]);
});

test('mode=delete leaves only the files of the image and follows no link', async () => {
  const [destination, elsewhere] = [fresh(), fresh()];
  mkdirSync(join(destination, 'etc/deep/er'), { recursive: true });
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'precious'), 'precious');
  for (const name of ['etc/mine', 'mine', 'etc/deep/er/mine']) writeFileSync(join(destination, name), 'mine');
  symlinkSync(elsewhere, join(destination, 'etc/away'));
  const before = lstatSync(destination).ino;
  await localTree({ destination, mode: 'delete', flavour: 'trusted', owner }).export(
    await treeResult(async () => layers()),
    noReport,
    noSignal,
  );
  expect(readdirSync(destination)).toEqual(['etc', 'link']);
  expect(readdirSync(join(destination, 'etc')).filter((name) => name !== 'gone')).toEqual(['again', 'base', 'tool']);
  expect(readFileSync(join(elsewhere, 'precious'), 'utf8')).toBe('precious');
  expect(lstatSync(join(destination, 'etc')).mtimeMs).toBe(2e9);
  expect(lstatSync(destination).ino).toBe(before);
});

test('a link in place of a directory is replaced, not followed', async () => {
  const [destination, elsewhere] = [fresh(), fresh()];
  mkdirSync(destination);
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(destination, 'etc'));
  await localTree({ destination, flavour: 'trusted', owner }).export(
    await treeResult(async () => layers()),
    noReport,
    noSignal,
  );
  expect(lstatSync(join(destination, 'etc')).isDirectory()).toBe(true);
  expect(readdirSync(elsewhere)).toEqual([]);
});

test('platforms share a directory when their files do not conflict', async () => {
  const treeOf = (...names: readonly string[]): string => {
    const tree = fresh();
    mkdirSync(join(tree, 'bin'), { recursive: true });
    for (const name of names) writeFileSync(join(tree, 'bin', name), name);
    return tree;
  };
  const merged = async (first: string, second: string, destination: string): Promise<void> => {
    const result = await testResult([], [amd64, arm64]);
    const trees = [first, second];
    const images = result.images.map(({ image }, at) => ({ image, openRootfs: async () => [trees[at] ?? ''] }));
    const options = { destination, platformSplit: false, mode: 'delete', flavour: 'trusted', owner } as const;
    await localTree(options).export({ ...result, images }, noReport, noSignal);
  };
  const destination = fresh();
  await merged(treeOf('tool-amd64'), treeOf('tool-arm64'), destination);
  expect(readdirSync(join(destination, 'bin'))).toEqual(['tool-amd64', 'tool-arm64']);
  await expect(merged(treeOf('tool'), treeOf('tool'), fresh())).rejects.toThrow(
    'File "/bin/tool" of linux/amd64 and linux/arm64 cannot share a directory',
  );
});

test('several platforms get a directory each', async () => {
  const destination = fresh();
  await localTree({ destination, flavour: 'trusted', owner }).export(
    await treeResult(async () => layers(), [amd64, arm64]),
    noReport,
    noSignal,
  );
  expect(readdirSync(destination)).toEqual(['linux_amd64', 'linux_arm64']);
});

test('a failed export of a tree leaves no directory', async () => {
  const destination = join(fresh(), 'out');
  const failing = await treeResult(() => Promise.reject(new Error('no tree')));
  await expect(
    localTree({ destination, flavour: 'trusted', owner }).export(failing, noReport, noSignal),
  ).rejects.toThrow('no tree');
  expect(existsSync(destination)).toBe(false);
});

test('a tree is written as an archive', async () => {
  const destination = fresh();
  await tarTree({ destination, flavour: 'trusted' }).export(await treeResult(async () => layers()), noReport, noSignal);
  const names = execFileSync('tar', ['-tf', destination], { encoding: 'utf8' }).trim().split('\n');
  expect(names.filter((name) => name !== 'etc/gone')).toEqual(['etc/', 'etc/again', 'etc/base', 'etc/tool', 'link']);
});

test('the archive of a tree is written to a stream', async () => {
  const destination = new PassThrough();
  const reading = destination.toArray();
  await tarTree({ destination, flavour: 'trusted' }).export(await treeResult(async () => layers()), noReport, noSignal);
  destination.end();
  const names = execFileSync('tar', ['-t'], { encoding: 'utf8', input: Buffer.concat(await reading) });
  expect(names).toContain('etc/tool');
});

test('a tree with device nodes is written only to a directory that others cannot enter', needs('root'), async () => {
  const tree = fresh();
  mkdirSync(join(tree, 'dev'), { recursive: true });
  mknod(join(tree, 'dev/null'), FileType.character | 0o666, 0x103);
  const exportTo = async (destination: string, platforms = [amd64]) =>
    localTree({ destination, flavour: 'trusted', owner }).export(
      await treeResult(async () => [tree], platforms),
      noReport,
      noSignal,
    );
  const [made, split, open, closed] = [fresh(), fresh(), fresh(), fresh()];
  await exportTo(made);
  expect(lstatSync(made).mode & 0o777).toBe(0o700);
  expect(lstatSync(join(made, 'dev/null')).isCharacterDevice()).toBe(true);
  await exportTo(split, [amd64, arm64]);
  expect(lstatSync(split).mode & 0o777).toBe(0o700);
  mkdirSync(open, { mode: 0o755 });
  await expect(exportTo(open)).rejects.toMatchObject({
    code: 'USAGE',
    message: `Device "/dev/null" of the image must not be written to "${open}": other users may enter it`,
    hint: expect.stringContaining(`chmod go-rwx ${open}`),
  });
  expect(existsSync(join(open, 'dev/null'))).toBe(false);
  mkdirSync(closed, { mode: 0o700 });
  await exportTo(closed);
  expect(existsSync(join(closed, 'dev/null'))).toBe(true);
  expect(readdirSync(directory).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a new directory without device nodes has the permissions of the umask', async () => {
  const [destination, other] = [fresh(), fresh()];
  await localTree({ destination, flavour: 'trusted', owner }).export(
    await treeResult(async () => layers()),
    noReport,
    noSignal,
  );
  mkdirSync(other);
  expect(lstatSync(destination).mode).toBe(lstatSync(other).mode);
});
