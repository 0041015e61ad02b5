import {
  chmodSync,
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
import { dirname, join } from 'node:path';
import { runSync } from '@tbuild/concurrency';
import { createFileHasher, digestSelection, openDirectory, selectFiles, type SelectOptions } from '@tbuild/context';
import { lgetxattr, lsetxattr, mknod } from '@tbuild/linux';
import { createTreeWriter, openLayeredTree } from '@tbuild/snapshot';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { copyFiles } from './copy-files.ts';
import type { CopyTarget, Owner } from './copy-options.ts';

const base = mkdtempSync(join(tmpdir(), 'copy-files-'));
const [source, lower, upper] = ['source', 'lower', 'upper'].map((name) => join(base, name)) as [string, string, string];
const NOW = 1_700_000_000_000;
const TIME = 1_600_000_000_123;
afterAll(() => rmSync(base, { recursive: true }));

beforeEach(() => {
  for (const directory of [source, lower, upper]) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
  }
});

/** Writes files by path. A trailing slash makes a directory, `-> x` a link; a mode is optional. */
function write(root: string, files: Record<string, string | number | [content: string, mode: number]>): void {
  for (const [path, value] of Object.entries(files)) {
    const location = join(root, path);
    mkdirSync(dirname(location), { recursive: true });
    if (path.endsWith('/')) mkdirSync(location, { recursive: true });
    else if (typeof value === 'string' && value.startsWith('-> ')) symlinkSync(value.slice(3), location);
    else writeFileSync(location, Array.isArray(value) ? value[0] : String(value));
    const mode = typeof value === 'number' ? value : Array.isArray(value) ? value[1] : undefined;
    if (mode !== undefined) chmodSync(location, mode);
    if (!String(value).startsWith('-> ')) utimesSync(location, TIME / 1000, TIME / 1000);
  }
}

interface Case {
  readonly select: SelectOptions;
  readonly op: Partial<CopyTarget>;
  readonly owner?: Owner;
}

function copy({ select, op, owner }: Case): void {
  const writer = createTreeWriter({ upper, lowers: [lower], flavour: 'trusted' });
  const hasher = createFileHasher();
  const selection = runSync(selectFiles(openDirectory(source), select));
  runSync(digestSelection(selection, { hasher, owner: 'root' }));
  runSync(
    copyFiles(selection, writer, {
      target: { destination: '/', keepOwner: false, ...op },
      options: { owner, now: NOW, hasher },
    }),
  );
  writer.finish();
}

/** Lists the merged tree: `path mode[ uid:gid][ -> link]`, with owners other than root. */
function result(directory = ''): string[] {
  return openLayeredTree([lower, upper], 'trusted')
    .list(directory)
    .flatMap(({ path, location, stats }) => {
      const owner = stats.uid === 0 && stats.gid === 0 ? '' : ` ${stats.uid}:${stats.gid}`;
      const link = stats.isSymbolicLink() ? ` -> ${readlinkSync(location)}` : '';
      const line = `${path}${stats.isDirectory() ? '/' : ''} ${(stats.mode & 0o7777).toString(8)}${owner}${link}`;
      return stats.isDirectory() ? [line, ...result(path)] : [line];
    });
}

const placing: [name: string, sources: string[], destination: string, expected: string[]][] = [
  ['file to a name', ['a'], '/x', ['dir/ 755', 'link 777 -> dir', 'x 644']],
  ['file to a new directory', ['a'], '/x/', ['dir/ 755', 'link 777 -> dir', 'x/ 755', 'x/a 644']],
  ['file to an existing directory', ['a'], '/dir', ['dir/ 755', 'dir/a 644', 'link 777 -> dir']],
  ['file through a link', ['a'], '/link', ['dir/ 755', 'dir/a 644', 'link 777 -> dir']],
  ['file with missing parents', ['a'], '/x/y/z', ['dir/ 755', 'link 777 -> dir', 'x/ 755', 'x/y/ 755', 'x/y/z 644']],
  ['file below a link', ['a'], '/link/z', ['dir/ 755', 'dir/z 644', 'link 777 -> dir']],
  ['file to the root', ['a'], '/', ['a 644', 'dir/ 755', 'link 777 -> dir']],
  ['two files to one name', ['a', 'b'], '/x', ['dir/ 755', 'link 777 -> dir', 'x 600']],
  ['directory to a new name', ['d'], '/x', ['dir/ 755', 'link 777 -> dir', 'x/ 755', 'x/s/ 700', 'x/s/f 640']],
  [
    'directory to a new name with slash',
    ['d'],
    '/x/',
    ['dir/ 755', 'link 777 -> dir', 'x/ 755', 'x/s/ 700', 'x/s/f 640'],
  ],
  ['directory into an existing one', ['d'], '/dir', ['dir/ 755', 'dir/s/ 700', 'dir/s/f 640', 'link 777 -> dir']],
  ['directory through a link', ['d'], '/link/', ['dir/ 755', 'dir/s/ 700', 'dir/s/f 640', 'link 777 -> dir']],
  [
    'file and directory',
    ['a', 'd'],
    '/dir/',
    ['dir/ 755', 'dir/a 644', 'dir/s/ 700', 'dir/s/f 640', 'link 777 -> dir'],
  ],
  ['link as source', ['l'], '/dir/', ['dir/ 755', 'dir/l 644', 'link 777 -> dir']],
];

test.each(placing)('COPY places sources: %s', needs('root'), (_, sources, destination, expected) => {
  write(source, { a: ['a', 0o644], b: ['b', 0o600], 'd/s/f': ['f', 0o640], 'd/s/': 0o700, 'd/': 0o711, l: '-> a' });
  write(lower, { 'dir/': 0o755, link: '-> dir' });
  copy({ select: { sources }, op: { destination } });
  expect(result()).toEqual(expected);
});

const merging: [name: string, below: Parameters<typeof write>[1], test: Case, expected: string[] | string][] = [
  [
    'existing subdirectories take the attributes of the source',
    { 'x/s/old': 'o', 'x/s/': 0o777 },
    { select: { sources: ['d'] }, op: { destination: '/x' } },
    ['x/ 755', 'x/s/ 700', 'x/s/f 640', 'x/s/old 644'],
  ],
  [
    'a file replaces a link in the destination',
    { x: '-> y', y: 'y' },
    { select: { sources: ['e'] }, op: { destination: '/' } },
    ['x 644', 'y 644'],
  ],
  [
    'a plain destination follows its link',
    { z: '-> y', y: 'y' },
    { select: { sources: ['e/x'] }, op: { destination: '/z' } },
    ['y 644', 'z 777 -> y'],
  ],
  [
    'a broken link as the destination is followed',
    { z: '-> n/y' },
    { select: { sources: ['e/x'] }, op: { destination: '/z' } },
    ['n/ 755', 'n/y 644', 'z 777 -> n/y'],
  ],
  [
    'a directory onto a file fails',
    { x: 'x' },
    { select: { sources: ['d'] }, op: { destination: '/x' } },
    'Path "/x" is not a directory',
  ],
  [
    'a directory onto a link in the destination fails',
    { t: 'd', s: '-> t' },
    { select: { sources: ['d'] }, op: { destination: '/' } },
    'Cannot copy to non-directory: /s',
  ],
  [
    'a file onto a directory fails',
    { 'x/': 0o755 },
    { select: { sources: ['e'] }, op: { destination: '/' } },
    'Cannot replace to directory /x with file',
  ],
  [
    'a destination below a file fails',
    { x: 'x' },
    { select: { sources: ['e/x'] }, op: { destination: '/x/y' } },
    'Path "/x" is not a directory',
  ],
  [
    'an octal mode applies to implied parents too',
    {},
    { select: { sources: ['d'] }, op: { destination: '/p/x', chmod: 0o640 } },
    ['p/ 640', 'p/x/ 640', 'p/x/s/ 640', 'p/x/s/f 640'],
  ],
  [
    'the top directory loses the sticky bit',
    {},
    { select: { sources: ['d'] }, op: { destination: '/x', chmod: 0o1777 } },
    ['x/ 777', 'x/s/ 1777', 'x/s/f 1777'],
  ],
  [
    'a symbolic mode changes each mode but those of implied parents',
    {},
    { select: { sources: ['d'] }, op: { destination: '/p/x', chmod: 'go=u' } },
    ['p/ 755', 'p/x/ 755', 'p/x/s/ 777', 'p/x/s/f 666'],
  ],
  [
    'implied directories inherit setgid',
    { 'g/': 0o2775 },
    { select: { sources: ['d'] }, op: { destination: '/g/n/x' } },
    ['g/ 2775', 'g/n/ 2755', 'g/n/x/ 2755', 'g/n/x/s/ 700', 'g/n/x/s/f 640'],
  ],
  [
    'parents',
    { 'd/': 0o700 },
    { select: { sources: ['d/s/f'], parents: true }, op: { destination: '/' } },
    ['d/ 711', 'd/s/ 700', 'd/s/f 640'],
  ],
  [
    '--parents into a new directory',
    {},
    { select: { sources: ['d/s/f'], parents: true }, op: { destination: '/n/' } },
    ['n/ 755', 'n/d/ 711', 'n/d/s/ 700', 'n/d/s/f 640'],
  ],
];

test.each(merging)('COPY onto an existing tree: %s', needs('root'), (_, below, given, expected) => {
  write(source, { 'd/s/f': ['f', 0o640], 'd/s/': 0o700, 'd/': 0o711, 'e/x': ['x', 0o644] });
  write(lower, below);
  if (typeof expected === 'string') expect(() => copy(given)).toThrow(expected);
  else {
    copy(given);
    expect(result()).toEqual(expected);
  }
});

const times: [name: string, each: Case, expected: Record<string, 'now' | 'source' | 'below'>][] = [
  [
    'a directory to a new path',
    { select: { sources: ['d'] }, op: { destination: '/p/x' } },
    { p: 'now', 'p/x': 'source', 'p/x/s': 'source', 'p/x/s/f': 'source' },
  ],
  [
    'a directory into an existing one',
    { select: { sources: ['d'] }, op: { destination: '/b' } },
    { b: 'source', 'b/s': 'source', 'b/s/f': 'source' },
  ],
  [
    'a directory below an existing one',
    { select: { sources: ['d'] }, op: { destination: '/b/new' } },
    { b: 'now', 'b/new': 'source', 'b/new/s': 'source' },
  ],
  ['the whole tree', { select: { sources: ['.'] }, op: { destination: '/all' } }, { all: 'now', 'all/d': 'source' }],
  [
    'a file',
    { select: { sources: ['f'] }, op: { destination: '/b/s/' } },
    { b: 'below', 'b/s': 'now', 'b/s/f': 'source' },
  ],
  [
    'a file over another',
    { select: { sources: ['f'] }, op: { destination: '/b/s/old' } },
    { b: 'below', 'b/s': 'now', 'b/s/old': 'source' },
  ],
  [
    'a directory, then a file beside its contents',
    { select: { sources: ['d', 'f'] }, op: { destination: '/b/' } },
    { b: 'now', 'b/s': 'source', 'b/f': 'source' },
  ],
  [
    'a file, then a directory',
    { select: { sources: ['f', 'd'] }, op: { destination: '/b/' } },
    { b: 'source', 'b/s': 'source', 'b/f': 'source' },
  ],
  [
    'a file with new parents',
    { select: { sources: ['d/s/f'], parents: true }, op: { destination: '/p' } },
    { p: 'now', 'p/d': 'now', 'p/d/s': 'now', 'p/d/s/f': 'source' },
  ],
  [
    'a file with existing parents',
    { select: { sources: ['./b/s/f'], parents: true }, op: { destination: '/' } },
    { b: 'below', 'b/s': 'now', 'b/s/f': 'source' },
  ],
];

test.each(times)('Times after a copy of %s', needs('root'), (_, each, expected) => {
  const BELOW = 1_500_000_000_000;
  write(source, { f: 'f', 'd/s/f': 'f', 'd/s/': 0o755, 'd/': 0o755, 'b/s/f': 'f', 'b/s/': 0o755, 'b/': 0o755 });
  write(lower, { 'b/s/old': 'old', 'b/s/': 0o755, 'b/': 0o755 });
  for (const path of ['b/s', 'b']) utimesSync(join(lower, path), BELOW / 1000, BELOW / 1000);
  copy(each);
  const named = new Map([
    [NOW, 'now'],
    [TIME, 'source'],
    [BELOW, 'below'],
  ]);
  const found = Object.keys(expected).map((path) => {
    const time = Math.round(lstatSync(join(upper, path)).mtimeMs);
    return [path, named.get(time) ?? time];
  });
  expect(Object.fromEntries(found)).toEqual(expected);
});

test(
  'COPY sets owner root, keeps owners with keepOwner, or sets the given owner, also on implied parents',
  needs('root'),
  () => {
    write(source, { 'd/f': 'f', l: '-> x' });
    const { lchownSync } = process.getBuiltinModule('node:fs');
    for (const path of ['d', 'd/f', 'l']) lchownSync(join(source, path), 5, 6);
    const select = { sources: ['l*', 'd'], exclude: [] };
    write(source, { x: 'x' });
    copy({ select, op: { destination: '/root/' } });
    copy({ select, op: { destination: '/kept/', keepOwner: true } });
    copy({ select, op: { destination: '/p/given/' }, owner: { uid: 7, gid: 8 } });
    expect(result()).toEqual([
      'kept/ 755',
      'kept/f 644 5:6',
      'kept/l 644',
      'p/ 755 7:8',
      'p/given/ 755 7:8',
      'p/given/f 644 7:8',
      'p/given/l 644 7:8',
      'root/ 755',
      'root/f 644',
      'root/l 644',
    ]);
  },
);

test('Hard links are kept within one source but not across sources', () => {
  write(source, { 'd/a': 'a', 'e/x': 'x' });
  linkSync(join(source, 'd/a'), join(source, 'd/b'));
  linkSync(join(source, 'd/a'), join(source, 'e/c'));
  copy({ select: { sources: ['d', 'e'] }, op: { destination: '/' } });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => lstatSync(join(upper, name)).ino);
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

test(
  'COPY keeps capabilities from stages but not from contexts, copies devices and FIFOs, and makes files of sockets',
  needs('root'),
  () => {
    write(source, { 'd/f': 'f' });
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    lsetxattr(join(source, 'd/f'), 'security.capability', capability);
    mknod(join(source, 'd/fifo'), 0o010644, 0);
    mknod(join(source, 'd/null'), 0o020666, 0x103);
    mknod(join(source, 'd/socket'), 0o140755, 0);
    copy({ select: { sources: ['d'] }, op: { destination: '/stage', keepOwner: true } });
    copy({ select: { sources: ['d'] }, op: { destination: '/context' } });
    expect(lgetxattr(join(upper, 'stage/f'), 'security.capability')).toEqual(capability);
    expect(lgetxattr(join(upper, 'context/f'), 'security.capability')).toBeUndefined();
    expect(readdirSync(join(upper, 'stage'))).toEqual(['f', 'fifo', 'null']);
    expect(lstatSync(join(upper, 'context/socket'))).toMatchObject({ mode: 0o100755, size: 0 });
    expect(lstatSync(join(upper, 'stage/null')).rdev).toBe(0x103);
    expect(lstatSync(join(upper, 'stage/fifo')).isFIFO()).toBe(true);
  },
);

const changes: [name: string, change: () => void, message: string | undefined][] = [
  ['nothing', () => {}, undefined],
  ['touched', () => utimesSync(join(source, 'f'), 5, 5), undefined],
  ['rewritten with the same bytes', () => writeFileSync(join(source, 'f'), 'keyed'), undefined],
  ['rewritten', () => writeFileSync(join(source, 'f'), 'other'), 'File "f" changed during the build'],
  ['grown', () => writeFileSync(join(source, 'f'), 'keyed and more'), 'File "f" changed during the build'],
  ['deleted', () => rmSync(join(source, 'f')), 'File "f" changed during the build'],
  [
    'replaced by a link',
    () => (rmSync(join(source, 'f')), symlinkSync('/etc/passwd', join(source, 'f'))),
    'File "f" changed during the build',
  ],
  [
    'replaced by a directory',
    () => (rmSync(join(source, 'f')), mkdirSync(join(source, 'f'))),
    'File "f" changed during the build',
  ],
];

test.each(changes)('A file changes between key and copy: %s', (_, change, message) => {
  write(source, { f: 'keyed' });
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const hasher = createFileHasher();
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['f'] }));
  runSync(digestSelection(selection, { hasher, owner: 'root' }));
  change();
  const run = (): void =>
    runSync(
      copyFiles(selection, writer, { target: { destination: '/', keepOwner: false }, options: { now: NOW, hasher } }),
    );
  if (message !== undefined) return expect(run).toThrow(expect.objectContaining({ code: 'CONTEXT', message }));
  run();
  expect(readFileSync(join(upper, 'f'), 'utf8')).toBe('keyed');
});

test('A link that points elsewhere when it is copied is reported as changed', () => {
  write(source, { l: '-> keyed' });
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const hasher = createFileHasher();
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['.'] }));
  runSync(digestSelection(selection, { hasher, owner: 'root' }));
  rmSync(join(source, 'l'));
  write(source, { l: '-> other target' });
  const plan = { target: { destination: '/', keepOwner: false }, options: { now: NOW, hasher } };
  expect(() => runSync(copyFiles(selection, writer, plan))).toThrow('File "l" changed during the build');
});

test('A file rewritten between key and copy within the same timestamp is detected', () => {
  write(source, { f: 'keyed' });
  const hasher = { ...createFileHasher(), hasStableStat: () => false };
  const select = () => runSync(selectFiles(openDirectory(source), { sources: ['f'] }));
  runSync(digestSelection(select(), { hasher, owner: 'root' }));
  write(source, { f: 'other' });
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const run = (): void =>
    runSync(
      copyFiles(select(), writer, { target: { destination: '/', keepOwner: false }, options: { now: NOW, hasher } }),
    );
  expect(run).toThrow('File "f" changed during the build');
});

test('A file that was never hashed may get another hard link but not other bytes', () => {
  write(source, { f: 'same' });
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['f'] }));
  linkSync(join(source, 'f'), join(source, 'g'));
  const run = (): void =>
    runSync(
      copyFiles(selection, writer, {
        target: { destination: '/', keepOwner: true },
        options: { now: NOW, hasher: createFileHasher() },
      }),
    );
  run();
  writeFileSync(join(source, 'f'), 'other');
  expect(run).toThrow('changed during the build');
});

test('A file that was never hashed may not get other bytes of the same size and time', () => {
  write(source, { f: 'same' });
  utimesSync(join(source, 'f'), 5, 5);
  const selection = runSync(selectFiles(openDirectory(source), { sources: ['f'] }));
  const writer = createTreeWriter({ upper, lowers: [], flavour: 'trusted' });
  const options = { now: NOW, hasher: createFileHasher() };
  const run = (): void =>
    runSync(copyFiles(selection, writer, { target: { destination: '/', keepOwner: false }, options }));
  const listed = lstatSync(join(source, 'f')).ctimeMs;
  while (lstatSync(join(source, 'f')).ctimeMs === listed) {
    writeFileSync(join(source, 'f'), 'SAME');
    utimesSync(join(source, 'f'), 5, 5);
  }
  expect(run).toThrow('changed during the build');
});
