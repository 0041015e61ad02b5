import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTreeWriter } from '@tbuild/snapshot';
import { newDirectory } from '@tbuild/snapshot/testsuite';
import { expect, test } from 'vitest';
import { MAX_PARENTS } from './archive-target.ts';
import { createDiffer, unpackArchive } from './index.ts';
import { TarType } from './tar/tar-entry.ts';
import { tarOf, TestContent, type Member } from './test-tree.ts';

/** Deep enough that cubic time would take minutes. */
const DEPTH = 1200;

const pathOf = (depth: number): string => Array.from({ length: depth }, () => 'd').join('/');
const directory = (name: string): Member => ({ name: `${name}/`, type: TarType.directory, mode: 0o751 });
const symlink = (name: string, linkName: string): Member => ({ name, type: TarType.symlink, linkName });

const directories = Array.from({ length: DEPTH }, (_, at) => directory(pathOf(at + 1)));
const deepFile: Member = { name: `${pathOf(DEPTH)}/f`, text: 'deep' };

async function unpack(members: readonly Member[], { lowers = [] as string[], upper = newDirectory() } = {}) {
  const location = join(newDirectory(), 'archive');
  writeFileSync(location, tarOf(members));
  const writer = createTreeWriter({ upper, lowers, flavour: 'user' });
  await unpackArchive(location, { writer, destination: '' });
  writer.finish();
  return upper;
}

async function extract(members: readonly Member[], lowers: readonly string[] = []): Promise<string> {
  const [content, target] = [new TestContent(), newDirectory()];
  await createDiffer({ content, flavour: 'user' }).extract(content.add(tarOf(members)), target, {
    from: content,
    lowers,
  });
  return target;
}

test.each([
  ['from the top', [...directories, deepFile]],
  ['from the bottom', [deepFile, ...directories.toReversed()]],
  ['twice', [...directories, ...directories, deepFile]],
])('a path of 1,200 directories that the archive lists %s is unpacked', async (_, members) => {
  for (const target of [await unpack(members), await extract(members)]) {
    expect(readFileSync(join(target, `${pathOf(DEPTH)}/f`), 'utf8')).toBe('deep');
    expect(lstatSync(join(target, pathOf(DEPTH))).mode & 0o777).toBe(0o751);
  }
});

test('a path of 1,200 directories that the archive does not list is made', async () => {
  const target = await unpack([deepFile, { name: `${pathOf(DEPTH - 1)}/g`, text: 'g' }]);
  expect(readFileSync(join(target, `${pathOf(DEPTH)}/f`), 'utf8')).toBe('deep');
  expect(readFileSync(join(target, `${pathOf(DEPTH - 1)}/g`), 'utf8')).toBe('g');
});

test('a file is unpacked below 1,200 directories of the layer below', async () => {
  const lower = await unpack(directories);
  for (const target of [await unpack([deepFile], { lowers: [lower] }), await extract([deepFile], [lower])]) {
    expect(readFileSync(join(target, `${pathOf(DEPTH)}/f`), 'utf8')).toBe('deep');
    expect(lstatSync(join(target, pathOf(DEPTH))).mode & 0o777).toBe(0o751);
  }
});

test('a path that is longer than the kernel allows is refused with a short message', async () => {
  const members = Array.from({ length: 3000 }, (_, at) => directory(pathOf(at + 1)));
  for (const fails of [unpack, extract]) {
    const error: unknown = await fails(members).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toMatchObject({
      code: 'SNAPSHOT',
      hint: expect.stringContaining('4,095 bytes'),
      cause: { message: expect.stringMatching(/^.{0,300}: the name is too long$/) },
    });
  }
});

test.each(['a', 'a/b', 'a/b/c'])(
  'a link that replaces the directory %s, used before, leads nowhere outside',
  async (name) => {
    const outside = newDirectory();
    mkdirSync(join(outside, 'b/c/d'), { recursive: true });
    const lower = newDirectory();
    mkdirSync(join(lower, 'a/b/c/d'), { recursive: true });
    const members: Member[] = [
      { name: 'a/b/c/d/before', text: '' },
      symlink(name, outside),
      { name: 'a/b/c/d/after', text: '' },
    ];
    for (const lowers of [[], [lower]]) {
      for (const target of [await unpack(members, { lowers }), await extract(members, lowers)]) {
        expect(readdirSync(outside, { recursive: true })).toEqual(['b', 'b/c', 'b/c/d']);
        const rest = 'a/b/c/d/after'.slice(name.length + 1);
        expect(existsSync(join(target, outside, rest))).toBe(true);
        expect(existsSync(join(target, 'a/b/c/d/before'))).toBe(false);
      }
    }
  },
);

test('a link that replaces a directory is followed, also when the parents were forgotten on the way into it', async () => {
  // Through two links to `.`, two directories have any number of paths.
  const members = ['d', 'e'].flatMap((name) => [directory(name), symlink(`${name}/a`, '.'), symlink(`${name}/b`, '.')]);
  const parents = new Set(['d', 'e']);
  let last = '';
  for (let number = 0; parents.size < MAX_PARENTS + 2; number++) {
    last = 'd';
    for (let bit = 0; bit < 38; bit++) parents.add((last += Math.floor(number / 2 ** bit) % 2 === 0 ? '/a' : '/b'));
    members.push({ name: `${last}/f`, text: '' });
  }
  const target = await unpack([...members, symlink('d', 'e'), { name: `${last}/g`, text: 'g' }]);
  expect(readFileSync(join(target, 'e/g'), 'utf8')).toBe('g');
});

test('a directory of the layer below that a link replaces before its first use is not seen any more', async () => {
  const lower = newDirectory();
  mkdirSync(join(lower, 'a/b/c'), { recursive: true });
  writeFileSync(join(lower, 'a/b/c/file'), '');
  symlinkSync('file', join(lower, 'a/b/c/link'));
  const members: Member[] = [
    // Looks the directories up without entering them.
    { name: 'hard', type: TarType.link, linkName: 'a/b/c/file' },
    symlink('a/b', '../elsewhere'),
    { name: 'a/b/c/new', text: '' },
  ];
  for (const target of [await unpack(members, { lowers: [lower] }), await extract(members, [lower])]) {
    expect(readdirSync(join(target, 'a'))).toEqual(['b']);
    expect(readdirSync(join(target, 'elsewhere'), { recursive: true })).toEqual(['c', 'c/new']);
  }
});

test('an abort ends the extraction within one chunk of bytes', async () => {
  const members = Array.from({ length: 5000 }, (_, at) => ({ name: `f${at}`, text: '' }));
  const archive = tarOf(members);
  const [content, target, abort] = [new TestContent(), newDirectory(), new AbortController()];
  const layer = content.add(archive);
  const oneChunk = {
    has: async () => true,
    read: async () =>
      (async function* () {
        setImmediate(() => abort.abort());
        yield archive;
      })(),
  };
  const extraction = createDiffer({ content, flavour: 'user' }).extract(layer, target, {
    from: oneChunk,
    signal: abort.signal,
  });
  await expect(extraction).rejects.toMatchObject({ code: 'CANCELLED' });
  expect(readdirSync(target).length).toBeLessThan(members.length);
});
