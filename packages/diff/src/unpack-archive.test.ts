import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createTreeWriter } from '@tbuild/snapshot';
import { newDirectory, shell } from '@tbuild/snapshot/testsuite';
import { expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { tarOf as paxTar } from '../../../test/support/write-tar.ts';
import { isArchive, looksLikeArchive, unpackArchive, writeTree, type UnpackOptions } from './index.ts';
import { TarType } from './tar/tar-entry.ts';
import { tarOf, type Member } from './test-tree.ts';

const members: Member[] = [
  { name: './', type: TarType.directory, mode: 0o700 },
  { name: 'd/', type: TarType.directory, mode: 0o750, mtimeMs: 5000 },
  { name: 'd/x', text: 'x', uid: 5, gid: 6 },
  { name: '../up', text: 'up' },
  { name: '/abs', text: 'abs' },
  { name: 'out', type: TarType.symlink, linkName: '/d' },
  { name: 'out/through', text: 'through' },
  { name: '.wh.gone', text: '' },
];

/** Returns what `/dest` of a tree contains after unpacking there. */
async function unpack(archive: Buffer, options: Partial<UnpackOptions> = {}): Promise<string> {
  const [lower, upper, location] = [newDirectory(), newDirectory(), save(archive)];
  mkdirSync(join(lower, 'dest'), { mode: 0o711 });
  const writer = createTreeWriter({ upper, lowers: [lower], flavour: 'user' });
  await unpackArchive(location, { writer, destination: 'dest', ...options });
  writer.finish();
  expect(readdirSync(upper)).toEqual(['dest']);
  return join(upper, 'dest');
}

function save(bytes: Buffer): string {
  const location = join(newDirectory(), 'archive');
  writeFileSync(location, bytes);
  return location;
}

test('unpackArchive stays inside the destination and keeps its attributes', needs('root'), async () => {
  const dest = await unpack(tarOf(members));
  expect(lstatSync(dest).mode & 0o7777).toBe(0o711);
  expect(readdirSync(dest).sort()).toEqual(['.wh.gone', 'abs', 'd', 'out', 'up']);
  expect(readFileSync(join(dest, 'd/through'), 'utf8')).toBe('through');
  expect(readlinkSync(join(dest, 'out'))).toBe('/d');
  expect(lstatSync(join(dest, 'd'))).toMatchObject({ mode: 0o40750, mtimeMs: 5000 });
  expect(lstatSync(join(dest, 'd/x'))).toMatchObject({ uid: 5, gid: 6 });
});

test(
  'unpackArchive gives every member the requested owner, and implied directories to root',
  needs('root'),
  async () => {
    const dest = await unpack(tarOf([...members, { name: 'implied/y', text: '' }]), { owner: { uid: 33, gid: 34 } });
    for (const name of ['d', 'd/x', 'out', 'implied/y'])
      expect(lstatSync(join(dest, name))).toMatchObject({ uid: 33, gid: 34 });
    expect(lstatSync(join(dest, 'implied'))).toMatchObject({ uid: 0, gid: 0, mode: 0o40755 });
  },
);

test('unpackArchive gives members their times, and directories that only get entries the time of the build', async () => {
  const now = 1_700_000_000_000;
  const [before, after] = [{ mtimeMs: 5000 }, { mtimeMs: 6000 }];
  const archive = tarOf([
    { name: 'early/', type: TarType.directory, mode: 0o755, ...before },
    { name: 'early/x', text: 'x', ...after },
    { name: 'late/x', text: 'x', ...after },
    { name: 'late/', type: TarType.directory, mode: 0o755, ...before },
    { name: 'implied/deep/x', text: 'x', ...after },
    { name: 'old', text: 'x', mtimeMs: -5000 },
  ]);
  const dest = await unpack(archive, { now });
  const timeOf = (name: string): number => lstatSync(join(dest, name)).mtimeMs;
  expect(['early', 'late', 'early/x'].map(timeOf)).toEqual([5000, 5000, 6000]);
  expect(['', 'implied', 'implied/deep'].map(timeOf)).toEqual([now, now, now]);
  expect(timeOf('old')).toBe(0);
});

test('unpackArchive refuses a time that no file can have', async () => {
  const archive = paxTar([{ name: 'd', type: 'directory', pax: { mtime: '9'.repeat(30) } }]);
  await expect(unpack(archive)).rejects.toMatchObject({
    code: 'SNAPSHOT',
    message: expect.stringContaining('has the invalid time'),
  });
});

test('unpackArchive gives a file the attributes of its last hard link', needs('root'), async () => {
  const archive = tarOf([
    { name: 'f', text: 'f', mode: 0o644, mtimeMs: 5000 },
    { name: 'g', type: TarType.link, linkName: 'f', mode: 0o600, uid: 7, gid: 8, mtimeMs: 6000 },
  ]);
  const dest = await unpack(archive, { now: 1e12 });
  expect(lstatSync(join(dest, 'f'))).toMatchObject({ mode: 0o100600, uid: 7, gid: 8, mtimeMs: 6000, nlink: 2 });
});

test('unpackArchive writes a file of zeros as a hole', async () => {
  const dest = await unpack(gzipSync(tarOf([{ name: 'zeros', text: `${'\0'.repeat(64 << 20)}end` }])));
  const { size, blocks } = lstatSync(join(dest, 'zeros'));
  expect(size).toBe((64 << 20) + 3);
  expect(blocks * 512).toBeLessThan(4 << 20);
  expect(readFileSync(join(dest, 'zeros')).subarray(-4).toString()).toBe('\0end');
});

test.each(['gzip', 'bzip2', 'xz', 'zstd'])(
  'isArchive recognises %s by its content',
  needs('bzip2', 'xz', 'zstd'),
  async (program) => {
    const location = save(tarOf(members));
    shell(`${program} -c archive > packed`, join(location, '..'));
    const packed = join(location, '../packed');
    expect(await isArchive(packed)).toBe(true);
    expect(readdirSync(await unpack(readFileSync(packed)))).toContain('abs');
  },
);

const others: [string, Buffer][] = [
  ['text', Buffer.from('text'.repeat(500))],
  ['gzipped text', gzipSync('text'.repeat(500))],
  ['an empty archive', tarOf([])],
  ['an empty file', Buffer.alloc(0)],
  ['damaged gzip', gzipSync(tarOf(members)).subarray(0, 30)],
  ['data that begins like xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3])],
];

test.each(others)('isArchive is false for %s', needs('xz'), async (_, bytes) => {
  expect(await isArchive(save(bytes))).toBe(false);
});

test.each([
  ['an archive', tarOf(members), true],
  ['a gzipped archive', gzipSync(tarOf(members)), true],
  ['incompressible bytes behind a gzip header', Buffer.concat([gzipSync(''), Buffer.alloc(2048, 0xff)]), true],
  ['bytes where a number should be', Buffer.alloc(1024, 0xff), false],
  ['text where a number should be', Buffer.alloc(1024, 'x'), false],
  ['a few bytes', Buffer.from('FROM x'), false],
])('looksLikeArchive judges %s by its first bytes', (_, bytes, expected) => {
  expect(looksLikeArchive(bytes)).toBe(expected);
});

test('isArchive is true for regular files only', async () => {
  const location = save(tarOf(members));
  symlinkSync(location, `${location}.link`);
  expect(await isArchive(`${location}.link`)).toBe(false);
  expect(await isArchive(join(location, '..'))).toBe(false);
  expect(await isArchive(`${location}.missing`)).toBe(false);
});

test('unpackArchive fails on a damaged archive and on a sparse file', async () => {
  const archive = tarOf([{ name: 'x', text: 'x'.repeat(5000) }]);
  await expect(unpack(archive.subarray(0, 2000))).rejects.toMatchObject({ code: 'SNAPSHOT' });
  await expect(unpack(tarOf([{ name: 'x', type: 'S' as never }]))).rejects.toMatchObject({ code: 'SNAPSHOT' });
});

test('writeTree writes a whole tree without whiteouts', async () => {
  const [lower, upper, out] = [newDirectory(), newDirectory(), newDirectory()];
  shell('mkdir -p a/b c; echo 1 > a/b/x; echo 1 > a/y; echo 1 > c/z; ln c/z c/hard', lower);
  const writer = createTreeWriter({ upper, lowers: [lower], flavour: 'user' });
  writer.remove('a/y');
  writer.file('a/new', { mode: 0o644, uid: 0, gid: 0, mtimeMs: 0 }, { bytes: Buffer.from('2') });
  const chunks: Buffer[] = [];
  await writeTree([{ directories: [lower, upper] }], (bytes) => void chunks.push(Buffer.from(bytes)), {
    flavour: 'user',
  });
  writeFileSync(join(out, 'tree.tar'), Buffer.concat(chunks));
  expect(shell('tar tf tree.tar', out).split('\n').filter(Boolean)).toEqual([
    'a/',
    'a/b/',
    'a/b/x',
    'a/new',
    'c/',
    'c/hard',
    'c/z',
  ]);
  shell('mkdir x; tar xf tree.tar -C x; test $(stat -c %h x/c/z) = 2', out);
});
