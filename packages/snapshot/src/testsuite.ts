import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Snapshot, Snapshotter } from './snapshotter.ts';

export { inMount, newDirectory, shell, writableFlavours } from './test-stack.ts';

/** Tests the contract of a {@link Snapshotter}; `open` returns one on an empty store of its own. */
export function describeSnapshotter(name: string, open: () => Snapshotter): void {
  describe(`${name} as a Snapshotter`, () => {
    test('commit stacks the changes on the parent', () => commitsChanges(open()));
    test('changes that were made without a parent are committed onto a tree', () => commitsOnto(open()));
    test('dispose without commit leaves nothing behind', () => discards(open()));
    test('the first commit under a name wins', () => firstWins(open()));
    test('a second commit of the same tree fails', () => commitsOnce(open()));
    test('prepare and compose fail for a missing parent', () => refusesMissingParent(open()));
    test('compose stacks topmost directories without copying', () => composes(open()));
    test('compose accepts an empty tree', () => composesNothing(open()));
    test('remove deletes a tree, and a second remove succeeds', () => removes(open()));
  });
}

async function commitsChanges(snapshots: Snapshotter): Promise<void> {
  const base = await commitFile(snapshots, 'sha256:base', 'a');
  const child = await commitFile(snapshots, 'child', 'b', 'sha256:base');
  expect(child.directories.slice(0, 1)).toEqual(base.directories);
  expect(child.directories.map((each) => readdirSync(each))).toEqual([['a'], ['b']]);
  expect(await snapshots.stat('child')).toEqual(child);
  expect([...(await snapshots.list())].sort()).toEqual(['child', 'sha256:base']);
}

async function commitsOnto(snapshots: Snapshotter): Promise<void> {
  const base = await commitFile(snapshots, 'base', 'a');
  chmodSync(base.directories[0] ?? '', 0o711);
  await using active = await snapshots.prepare();
  writeFileSync(join(active.upper, 'b'), '');
  const child = await active.commit('child', { onto: 'base' });
  expect(child.directories.map((each) => readdirSync(each))).toEqual([['a'], ['b']]);
  expect(child.directories.map((each) => statSync(each).mode & 0o7777)).toEqual([0o711, 0o711]);
  await using above = await snapshots.prepare('child');
  expect(above.lowers).toEqual(child.directories);
}

async function discards(snapshots: Snapshotter): Promise<void> {
  const active = await snapshots.prepare();
  expect(active.lowers).toEqual([]);
  writeFileSync(join(active.upper, 'a'), '');
  await active[Symbol.asyncDispose]();
  expect(existsSync(active.upper)).toBe(false);
  expect(await snapshots.list()).toEqual([]);
}

async function firstWins(snapshots: Snapshotter): Promise<void> {
  const first = await commitFile(snapshots, 'same', 'first');
  const second = await commitFile(snapshots, 'same', 'second');
  expect(second).toEqual(first);
  expect(readdirSync(first.directories[0] ?? '')).toEqual(['first']);
}

async function commitsOnce(snapshots: Snapshotter): Promise<void> {
  await using active = await snapshots.prepare();
  await active.commit('one');
  await expect(active.commit('two')).rejects.toThrow('already');
}

async function refusesMissingParent(snapshots: Snapshotter): Promise<void> {
  await expect(snapshots.prepare('nothing')).rejects.toMatchObject({ code: 'SNAPSHOT' });
  await expect(snapshots.compose('x', { tops: ['nothing'] })).rejects.toMatchObject({ code: 'SNAPSHOT' });
  expect(await snapshots.stat('nothing')).toBeUndefined();
}

async function composes(snapshots: Snapshotter): Promise<void> {
  const names = ['one', 'two', 'three'];
  for (const name of names) await commitFile(snapshots, name, name);
  await snapshots.compose('both', { tops: ['one', 'two'] });
  const all = await snapshots.compose('all', { base: 'both', tops: ['three'] });
  expect(all.directories.map((each) => readFileSync(join(each, readdirSync(each)[0] ?? ''), 'utf8'))).toEqual(names);
  await using active = await snapshots.prepare('all');
  expect(active.lowers).toEqual(all.directories);
}

async function composesNothing(snapshots: Snapshotter): Promise<void> {
  expect((await snapshots.compose('empty', { tops: [] })).directories).toEqual([]);
  await using active = await snapshots.prepare('empty');
  expect(active.lowers).toEqual([]);
}

async function removes(snapshots: Snapshotter): Promise<void> {
  await commitFile(snapshots, 'gone', 'a');
  await snapshots.remove('gone');
  await snapshots.remove('gone');
  expect(await snapshots.stat('gone')).toBeUndefined();
  expect(await snapshots.list()).toEqual([]);
}

async function commitFile(snapshots: Snapshotter, name: string, file: string, parent?: string): Promise<Snapshot> {
  await using active = await snapshots.prepare(parent);
  mkdirSync(active.upper, { recursive: true });
  writeFileSync(join(active.upper, file), name);
  return active.commit(name);
}
