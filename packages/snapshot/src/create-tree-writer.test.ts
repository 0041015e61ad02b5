import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileType, lgetxattr, lsetxattr } from '@tbuild/linux';
import { storeLayout } from '@tbuild/store';
import { describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import {
  type ActiveSnapshot,
  type Attributes,
  createOverlaySnapshotter,
  createTreeWriter,
  isOpaque,
  isWhiteout,
  type LayeredTree,
  openCommittedTree,
  openLayeredTree,
  type OverlayFlavour,
  type TreeWriter,
} from './index.ts';
import { inMount, newDirectory, shell, writableFlavours } from './test-stack.ts';

const plain: Attributes = { mode: 0o644, uid: 0, gid: 0, mtimeMs: 1_700_000_000_500 };
const bytes = Buffer.from('new');

describe.each(writableFlavours())('createTreeWriter (%s)', needs('root'), (flavour) => {
  test.each(cases())('gives the tree that an overlay mount shows: %s', async (_, work, expected) => {
    await using active = await prepare(flavour);
    const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
    const tree = openLayeredTree([...active.lowers, active.upper], flavour);
    listing(tree);
    work(writer);
    writer.finish();
    const seen = listing(tree);
    expect(listing(openCommittedTree([...active.lowers, active.upper], flavour))).toEqual(seen);
    expect(seen).toEqual(expected);
    expect(inMount(active.mount, LIST).split('\n').filter(Boolean).sort()).toEqual([...seen].sort());
  });

  test('keeps the attributes and time of a directory that it copies up', async () => {
    await using active = await prepare(flavour);
    const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
    writer.file('dir/deep/new', plain, { bytes });
    writer.finish();
    const [above, below] = [join(active.upper, 'dir/deep'), join(active.lowers[0] ?? '', 'dir/deep')];
    expect(lstatSync(above).mode).toBe(lstatSync(below).mode);
    expect(lstatSync(above).mtimeMs).toBeCloseTo(lstatSync(below).mtimeMs, 2);
    expect(lgetxattr(above, 'user.note')?.toString()).toBe('kept');
    expect(existsSync(join(active.upper, 'dir/deep/file'))).toBe(false);
  });

  test('gives files their owner and mode where new files get others', async () => {
    await using active = await prepare(flavour);
    const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
    writer.directory('shared', { ...plain, mode: 0o2777, gid: 7 });
    const modes = [0o644, 0o664, 0o777, 0o4755, 0o2750, 0o444, 0];
    const before = process.umask(0o027);
    for (const mode of modes) {
      writer.file(`shared/${mode}`, { ...plain, mode }, { bytes });
      writer.file(`shared/owned-${mode}`, { ...plain, mode, uid: 5, gid: 7 }, { bytes });
    }
    process.umask(before);
    const found = (name: string): readonly number[] => {
      const { mode, uid, gid } = lstatSync(join(active.upper, 'shared', name));
      return [mode & 0o7777, uid, gid];
    };
    expect(modes.map((mode) => found(String(mode)))).toEqual(modes.map((mode) => [mode, 0, 0]));
    expect(modes.map((mode) => found(`owned-${mode}`))).toEqual(modes.map((mode) => [mode, 5, 7]));
  });

  test("sets the attributes of a file but not overlay's own", async () => {
    await using active = await prepare(flavour);
    const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour });
    const xattrs = new Map([
      ['user.x', Buffer.from('1')],
      ['user.overlay.opaque', Buffer.from('y')],
    ]);
    expect(writer.file('tool', { ...plain, mode: 0o4755, xattrs }, { chunks: [bytes, bytes] })).toBe(6);
    writer.finish();
    const stats = lstatSync(join(active.upper, 'tool'));
    expect([stats.mode, stats.mtimeMs, stats.size]).toEqual([0o104755, plain.mtimeMs, 6]);
    expect(lgetxattr(join(active.upper, 'tool'), 'user.x')?.toString()).toBe('1');
    expect(lgetxattr(join(active.upper, 'tool'), 'user.overlay.opaque')).toBeUndefined();
  });

  test('leaves a whiteout for every removal in a layer whose lowers are unknown', async () => {
    await using active = await prepare(flavour);
    const writer = createTreeWriter({ upper: active.upper, lowers: 'unknown', flavour });
    writer.remove('gone');
    writer.remove('again');
    writer.directory('again', { ...plain, mode: 0o755 });
    writer.directory('merged', { ...plain, mode: 0o755 });
    expect(isWhiteout(lstatSync(join(active.upper, 'gone')))).toBe(true);
    expect(isOpaque(join(active.upper, 'again'), flavour)).toBe(true);
    expect(isOpaque(join(active.upper, 'merged'), flavour)).toBe(false);
  });
});

test('a system error becomes a SNAPSHOT error with its code and a hint', async () => {
  await using active = await prepare('user');
  const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour: 'user' });
  const failure = expect.objectContaining({
    code: 'SNAPSHOT',
    message: expect.stringContaining(': the name is too long'),
    hint: expect.any(String),
  });
  expect(() => writer.file('n'.repeat(300), plain, { bytes })).toThrow(failure);
});

test('listing a name that is not UTF-8 fails', () => {
  const directory = newDirectory();
  shell(String.raw`touch $'caf\xe9'`, directory);
  for (const open of [openCommittedTree, openLayeredTree]) {
    expect(() => open([directory], 'user').list('')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  }
});

const refused: [string, (writer: TreeWriter) => void][] = [
  ['a file below a file', (writer) => writer.file('file/x', plain, { bytes })],
  ['a file below a link', (writer) => writer.file('link/x', plain, { bytes })],
  ['a file below nothing', (writer) => writer.file('missing/x', plain, { bytes })],
  ['a directory through a file', (writer) => writer.ensureDirectory('file/x', plain)],
  ['a link to a directory', (writer) => writer.link('x', 'dir')],
  ['a link to nothing', (writer) => writer.link('x', 'missing')],
  ['a device 0:0', (writer) => writer.special('x', plain, { type: FileType.character, device: 0 })],
];

test.each(refused)('createTreeWriter refuses %s', async (_, work) => {
  await using active = await prepare('user');
  const writer = createTreeWriter({ upper: active.upper, lowers: active.lowers, flavour: 'user' });
  expect(() => work(writer)).toThrow(expect.objectContaining({ code: 'SNAPSHOT' }));
});

type Case = [name: string, work: (writer: TreeWriter) => void, expected: string[]];

function cases(): Case[] {
  const base = ['dir d 0', 'dir/deep d 0', 'dir/deep/file f 3', 'dir/other f 3', 'file f 3', 'link l 3', 'top f 3'];
  const without = (...prefixes: string[]): string[] =>
    base.filter((line) => !prefixes.some((prefix) => line.startsWith(prefix)));
  const directory: Attributes = { ...plain, mode: 0o755 };
  return [
    ['no change', () => {}, base],
    ['a new file', (w) => w.file('dir/new', plain, { bytes }), [...base, 'dir/new f 3'].sort()],
    [
      'a file over a file',
      (w) => w.file('file', plain, { bytes: Buffer.from('longer') }),
      [...without('file'), 'file f 6'].sort(),
    ],
    ['a file over a directory', (w) => w.file('dir', plain, { bytes }), [...without('dir'), 'dir f 3'].sort()],
    ['a directory over a directory', (w) => w.directory('dir', directory), base],
    ['a directory over a file', (w) => w.directory('file', directory), [...without('file'), 'file d 0'].sort()],
    ['a directory over a link', (w) => w.directory('link', directory), [...without('link'), 'link d 0'].sort()],
    ['a removed file', (w) => w.remove('dir/other'), without('dir/other')],
    ['a removed tree', (w) => w.remove('dir'), without('dir')],
    ['a missing file removed', (w) => w.remove('dir/missing/x'), base],
    ['a tree removed and made again', (w) => (w.remove('dir'), w.directory('dir', directory)), [...without('dir/')]],
    [
      'a directory made again over a file',
      (w) => (w.file('dir', plain, { bytes }), w.directory('dir', directory)),
      [...without('dir/')],
    ],
    [
      'a tree removed, made again and filled',
      (w) => (w.remove('dir'), w.directory('dir', directory), w.directory('dir/deep', directory)),
      [...without('dir/'), 'dir/deep d 0'].sort(),
    ],
    [
      'a directory removed in a new directory',
      (w) => (w.ensureDirectory('a/b', directory), w.file('a/b/c', plain, { bytes }), w.remove('a/b')),
      ['a d 0', ...base].sort(),
    ],
    [
      'ensured directories',
      (w) => (w.ensureDirectory('dir/deep', directory), w.ensureDirectory('dir/x/y', directory)),
      [...base, 'dir/x d 0', 'dir/x/y d 0'].sort(),
    ],
    [
      'a directory made opaque',
      (w) => (w.file('dir/new', plain, { bytes }), w.opaque('dir')),
      [...without('dir/'), 'dir/new f 3'].sort(),
    ],
    [
      'an opaque directory above one that was written',
      (w) => (w.directory('dir/deep', directory), w.opaque('dir'), w.remove('dir/deep/file')),
      [...without('dir/'), 'dir/deep d 0'].sort(),
    ],
    ['a symbolic link', (w) => w.symlink('file', plain, '../there'), [...without('file'), 'file l 8'].sort()],
    ['a hard link to a lower file', (w) => w.link('dir/hard', 'file'), [...base, 'dir/hard f 3'].sort()],
    ['a hard link over a file', (w) => w.link('file', 'dir/deep/file'), base],
    ['a FIFO', (w) => w.special('pipe', plain, { type: FileType.fifo, device: 0 }), [...base, 'pipe p 0'].sort()],
    ['attributes of the root', (w) => w.directory('', directory), base],
  ];
}

const LIST = String.raw`find . -mindepth 1 -printf '%P %y %s\n' | sed -E 's/ d [0-9]+$/ d 0/'`;

function listing(tree: LayeredTree): string[] {
  const lines: string[] = [];
  const walk = (path: string): void => {
    for (const { path: each, stats } of tree.list(path)) {
      const type = stats.isDirectory() ? 'd' : stats.isFile() ? 'f' : stats.isSymbolicLink() ? 'l' : 'p';
      lines.push(`${each} ${type} ${type === 'd' ? 0 : stats.size}`);
      expect(tree.stat(each)?.location).toBe(tree.list(path).find((other) => other.path === each)?.location);
      if (type === 'd') walk(each);
    }
  };
  walk('');
  return lines.sort();
}

/** Two layers: the upper one hides `hidden` of the lower one and adds `top`. */
async function prepare(flavour: OverlayFlavour): Promise<ActiveSnapshot> {
  const snapshots = createOverlaySnapshotter({ store: storeLayout(newDirectory()), flavour });
  await using first = await snapshots.prepare();
  mkdirSync(join(first.upper, 'dir/deep'), { recursive: true });
  for (const name of ['file', 'hidden', 'dir/other', 'dir/deep/file']) writeFileSync(join(first.upper, name), 'old');
  symlinkSync('dir', join(first.upper, 'link'));
  chmodSync(join(first.upper, 'dir/deep'), 0o2751);
  lsetxattr(join(first.upper, 'dir/deep'), 'user.note', Buffer.from('kept'));
  await first.commit('first');
  await using second = await snapshots.prepare('first');
  const writer = createTreeWriter({ upper: second.upper, lowers: second.lowers, flavour });
  writer.remove('hidden');
  writer.file('top', plain, { bytes });
  writer.finish();
  expect(readFileSync(join(second.upper, 'top'), 'utf8')).toBe('new');
  await second.commit('second');
  return snapshots.prepare('second');
}
