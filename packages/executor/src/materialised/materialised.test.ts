import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOverlaySnapshotter, isWhiteout, openLayeredTree } from '@tbuild/snapshot';
import { storeLayout } from '@tbuild/store';
import { afterAll, expect, test } from 'vitest';
import type { Executor, Sandbox } from '../executor.ts';
import { withMaterialisedTrees } from './materialised.ts';

const directory = mkdtempSync(join(tmpdir(), 'materialised-'));
mkdirSync(join(directory, 'store'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const flavour = 'user';
const snapshots = createOverlaySnapshotter({ store: storeLayout(join(directory, 'store')), flavour });
const roots: string[] = [];
let step: (root: string) => void = () => {};
/** Runs a function on the tree instead of a process. */
const inner: Executor = {
  name: 'chroot',
  async run({ root }) {
    roots.push(root.upper);
    step(root.upper);
    return { exitCode: 0, memory: { reachedLimit: false, machine: 0 } };
  },
};
const executor = withMaterialisedTrees(inner, { runDirectory: join(directory, 'run'), flavour });

async function run(parent: string | undefined, name: string, change: typeof step): Promise<string> {
  step = change;
  const active = await snapshots.prepare(parent);
  const sandbox: Sandbox = {
    root: active,
    mounts: [],
    process: { args: [], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] } },
    hostname: 'x',
    network: 'host',
    security: 'sandbox',
  };
  await executor.run(sandbox, { stdout() {}, stderr() {} }, new AbortController().signal);
  return (await active.commit(name)).directories.at(-1) ?? '';
}

test('withMaterialisedTrees writes changes as an overlay would and passes the tree to the next step', async () => {
  await run(undefined, 'base', (root) => {
    mkdirSync(join(root, 'd'));
    mkdirSync(join(root, 'replaced'));
    for (const file of ['d/kept', 'd/gone', 'd/edited', 'd/moved', 'replaced/old'])
      writeFileSync(join(root, file), file);
    symlinkSync('d', join(root, 'link'));
  });
  const layer = await run('base', 'child', (root) => {
    rmSync(join(root, 'd/gone'));
    // The same size, so that only the times differ.
    writeFileSync(join(root, 'd/edited'), 'EDITED/d');
    renameSync(join(root, 'd/moved'), join(root, 'aside'));
    renameSync(join(root, 'aside'), join(root, 'd/moved'));
    rmSync(join(root, 'replaced'), { recursive: true });
    mkdirSync(join(root, 'other'));
    renameSync(join(root, 'other'), join(root, 'replaced'));
    writeFileSync(join(root, 'replaced/new'), '');
  });
  expect(roots[1]).toBe(roots[0]);
  expect(readdirSync(layer).sort()).toEqual(['d', 'replaced']);
  expect(readdirSync(join(layer, 'd')).sort()).toEqual(['edited', 'gone']);
  expect(readFileSync(join(layer, 'd/edited'), 'utf8')).toBe('EDITED/d');
  expect(isWhiteout(lstatSync(join(layer, 'd/gone')))).toBe(true);
  // Opaque, or with a whiteout for the old file if the new directory has the inode number of the old one.
  const tree = openLayeredTree((await snapshots.stat('child'))?.directories ?? [], flavour);
  expect(tree.list('replaced').map(({ name }) => name)).toEqual(['new']);
});

test('withMaterialisedTrees copies the tree for a branch and writes nothing for an idle step', async () => {
  const layer = await run('base', 'branch', (root) => expect(readdirSync(join(root, 'replaced'))).toEqual(['old']));
  expect(roots.at(-1)).not.toBe(roots[0]);
  expect(readdirSync(layer)).toEqual([]);
});

test('disposing the executor removes its trees', () => {
  executor[Symbol.dispose]();
  expect(roots.some((root) => existsSync(root))).toBe(false);
  expect(statSync(join(directory, 'run')).isDirectory()).toBe(true);
});
