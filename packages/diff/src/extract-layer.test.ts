import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lgetxattr, llistxattr } from '@tbuild/linux';
import { digestOf, MediaType } from '@tbuild/oci';
import { isOpaque, isWhiteout, openLayeredTree } from '@tbuild/snapshot';
import { newDirectory, shell, writableFlavours } from '@tbuild/snapshot/testsuite';
import { describe, expect, test } from 'vitest';
import { needs } from '../../../test/support/requirements.ts';
import { createDiffer, type ExtractedLayer } from './index.ts';
import { TarType } from './tar/tar-entry.ts';
import { tarOf, TestContent, type Member } from './test-tree.ts';

const dir = (name: string, more: Partial<Member> = {}): Member => ({
  name: `${name}/`,
  type: TarType.directory,
  mode: 0o755,
  ...more,
});
const file = (name: string, text = 'new'): Member => ({ name, text });
const symlink = (name: string, linkName: string): Member => ({ name, type: TarType.symlink, linkName });
const link = (name: string, linkName: string): Member => ({ name, type: TarType.link, linkName });

/** Lists a directory tree as `path type content` lines, including overlay's marks. */
function listing(directories: readonly string[]): string[] {
  const tree = openLayeredTree(directories, 'user');
  const lines: string[] = [];
  const walk = (path: string): void => {
    for (const { path: each, stats, location } of tree.list(path)) {
      if (stats.isDirectory()) walk(each);
      lines.push(
        stats.isDirectory()
          ? `${each}/`
          : stats.isSymbolicLink()
            ? `${each} -> ${readlinkSync(location)}`
            : `${each} ${readFileSync(location, 'utf8')}`,
      );
    }
  };
  walk('');
  return lines.sort();
}

async function extract(
  members: readonly Member[],
  lowers?: readonly string[],
): Promise<ExtractedLayer & { target: string }> {
  const [content, target] = [new TestContent(), newDirectory()];
  const layer = content.add(tarOf(members));
  return {
    target,
    ...(await createDiffer({ content, flavour: 'user' }).extract(layer, target, { from: content, lowers })),
  };
}

/** A lower layer: `lib` is a link to `usr/lib`, which contains `old`. */
function lowerTree(): string {
  const directory = newDirectory();
  mkdirSync(join(directory, 'usr/lib'), { recursive: true });
  writeFileSync(join(directory, 'usr/lib/old'), 'old');
  writeFileSync(join(directory, 'file'), 'old');
  shell('ln -s usr/lib lib; ln -s /usr abs; ln -s ../../.. up; ln -s loop loop; chmod 2711 usr/lib', directory);
  return directory;
}

const inside: [name: string, members: Member[], expected: string[]][] = [
  ['`..` stops at the root', [file('../../x')], ['x new']],
  ['an absolute name is relative to the root', [file('/x')], ['x new']],
  ['`./` is the root', [dir('.', { mode: 0o700 }), file('./x')], ['x new']],
  ['a later member replaces an earlier one of the same name', [file('x', 'a'), file('x', 'b')], ['x b']],
  ['a file replaces a directory', [dir('d'), file('d/x'), file('d')], ['d new']],
  ['a directory replaces a file', [file('d'), dir('d'), file('d/x')], ['d/', 'd/x new']],
  ['a file replaces a symbolic link', [symlink('x', '/etc/hostname'), file('x')], ['x new']],
  ['a file replaces a hard link', [file('a', 'old'), link('b', 'a'), file('b')], ['a old', 'b new']],
  [
    'targets of hard links stay inside the root',
    [file('a'), link('b', '../../a'), link('c', '/a')],
    ['a new', 'b new', 'c new'],
  ],
  [
    'long names',
    [dir('d'.repeat(120)), file(`${'d'.repeat(120)}/${'é'.repeat(100)}`)],
    [`${'d'.repeat(120)}/`, `${'d'.repeat(120)}/${'é'.repeat(100)} new`],
  ],
  ['a device 0:0 is dropped', [{ name: 'x', type: TarType.character }, file('y')], ['y new']],
  ['the metadata files of AUFS are dropped', [file('.wh..wh.plnk'), file('y')], ['y new']],
];

test.each(inside)('extracts a layer alone: %s', async (_, members, expected) => {
  const { target, selfContained } = await extract(members);
  expect(selfContained).toBe(true);
  expect(listing([target])).toEqual(expected);
});

const needing: [name: string, members: Member[], expected: string[]][] = [
  ['a missing parent', [file('usr/lib/x')], ['usr/lib/x new']],
  ['a parent that is a link', [file('lib/x')], ['usr/lib/x new']],
  ['an absolute link', [file('abs/x')], ['usr/x new']],
  ['a link out of the tree', [file('up/x')], ['x new']],
  ['a link of the same layer', [dir('d'), symlink('l', 'd'), file('l/x')], ['d/', 'd/x new', 'l -> d']],
  [
    'a link that is replaced by another',
    [dir('d'), dir('e'), symlink('l', 'd'), file('l/x'), symlink('l', 'e'), file('l/y')],
    ['d/', 'd/x new', 'e/', 'e/y new', 'l -> e'],
  ],
  ['a hard link to a lower file', [link('x', 'usr/lib/old')], ['x old']],
  ['a hard link through a link', [link('x', 'lib/old')], ['x old']],
  ['a whiteout below a link', [file('lib/.wh.old')], ['-usr/lib/old old']],
  [
    'an opaque root',
    [dir('usr'), file('.wh..wh..opq'), file('x')],
    [
      '-abs -> /usr',
      '-file old',
      '-lib -> usr/lib',
      '-loop -> loop',
      '-up -> ../../..',
      '-usr/lib/',
      '-usr/lib/old old',
      'x new',
    ],
  ],
];

test.each(needing)('extracts a layer that needs its lowers: %s', async (_, members, changes) => {
  expect((await extract(members)).selfContained).toBe(false);
  const lower = lowerTree();
  const { target, selfContained } = await extract(members, [lower]);
  expect(selfContained).toBe(true);
  const gone = changes.flatMap((line) => (line.startsWith('-') ? [line.slice(1)] : []));
  const kept = listing([lower]).filter((line) => !gone.includes(line));
  expect(listing([lower, target])).toEqual(
    [...new Set([...kept, ...changes.filter((line) => !line.startsWith('-'))])].sort(),
  );
});

test('a parent that the layer lacks gets the attributes of the lower directory', async () => {
  const { target } = await extract([file('lib/x')], [lowerTree()]);
  expect(lstatSync(join(target, 'usr/lib')).mode).toBe(0o42711);
});

const refused: [name: string, archive: Buffer | Member[]][] = [
  ['a file below a file', [file('x'), file('x/y')]],
  ['a hard link to a directory', [dir('d'), link('x', 'd')]],
  ['a whiteout without a name', [file('.wh.')]],
  ['a whiteout of `..`', [file('.wh...')]],
  ['a wrong checksum', Buffer.alloc(512, 'x')],
  ['a truncated archive', tarOf([file('x', 'y'.repeat(2000))]).subarray(0, 1200)],
  ['an unknown type', tarOf([{ name: 'x', type: 'Z' as never }])],
  ['an old sparse file', tarOf([{ name: 'x', type: 'S' as never }])],
  ['a huge extended header', tarOf([{ name: 'x', type: 'x' as never, size: 1e9 }])],
];

test.each(refused)('extracting fails for %s', async (_, archive) => {
  const [content, target] = [new TestContent(), newDirectory()];
  const layer = content.add(Buffer.isBuffer(archive) ? archive : tarOf(archive));
  const work = createDiffer({ content, flavour: 'user' }).extract(layer, target, { from: content });
  await expect(work).rejects.toMatchObject({ code: 'SNAPSHOT' });
});

test.each(['missing', 'loop/x', '../../etc/hostname'])(
  'extracting on lowers fails for a hard link to %s',
  async (target) => {
    await expect(extract([link('x', target)], [lowerTree()])).rejects.toMatchObject({ code: 'SNAPSHOT' });
  },
);

describe.each(writableFlavours())('whiteouts (%s)', needs('root'), (flavour) => {
  const run = async (members: Member[]): Promise<string> => {
    const [content, target] = [new TestContent(), newDirectory()];
    await createDiffer({ content, flavour }).extract(content.add(tarOf(members)), target, { from: content });
    return target;
  };

  test('are stored as devices 0:0 and opaque directories', async () => {
    const target = await run([dir('d'), file('d/.wh..wh..opq'), file('d/own'), file('.wh.gone')]);
    expect(isWhiteout(lstatSync(join(target, 'gone')))).toBe(true);
    expect(isOpaque(join(target, 'd'), flavour)).toBe(true);
    expect(readdirSync(join(target, 'd'))).toEqual(['own']);
  });

  test.each([[['.wh.d', 'd/']], [['d/', '.wh.d']]])('never hide entries of their own layer: %j', async (names) => {
    const target = await run([...names.map((name) => (name === 'd/' ? dir('d') : file(name))), file('d/x')]);
    expect(readdirSync(target)).toEqual(['d']);
    expect(isOpaque(join(target, 'd'), flavour)).toBe(true);
  });

  test("extracting drops overlay's attributes and keeps others", async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const xattrs = new Map([
      ['trusted.overlay.redirect', Buffer.from('/etc')],
      ['user.overlay.opaque', Buffer.from('y')],
      ['user.kept', Buffer.from('1')],
      ['security.capability', capability],
    ]);
    const target = await run([dir('d', { xattrs }), { ...file('tool'), xattrs, uid: 3, gid: 4, mode: 0o4755 }]);
    expect(llistxattr(join(target, 'tool')).sort()).toEqual(['security.capability', 'user.kept']);
    expect(lgetxattr(join(target, 'tool'), 'security.capability')).toEqual(capability);
    expect(lstatSync(join(target, 'tool')).mode & 0o7777).toBe(0o4755);
    expect(isOpaque(join(target, 'd'), flavour)).toBe(false);
  });

  test('extracting makes devices for real root and skips them in a user namespace', async () => {
    const target = await run([
      { name: 'null', type: TarType.character, major: 1, minor: 3, mode: 0o666 },
      { name: 'p', type: TarType.fifo },
    ]);
    expect(lstatSync(join(target, 'p')).isFIFO()).toBe(true);
    if (existsSync(join(target, 'null'))) expect(lstatSync(join(target, 'null')).rdev).toBe(0x103);
  });
});

const archive = tarOf([dir('d', { mtimeMs: 1e12 }), { ...file('d/x', 'text'.repeat(200_000)), mtimeMs: -5000 }]);
const compressed: [string, () => Buffer, string][] = [
  [MediaType.layer, () => archive, 'uncompressed'],
  [MediaType.layerGzip, () => gzipSync(archive), 'gzip'],
  [
    MediaType.dockerLayerGzip,
    () => Buffer.concat([gzipSync(archive.subarray(0, 777)), gzipSync(archive.subarray(777))]),
    'gzip',
  ],
  [MediaType.layerZstd, () => pipeThrough('zstd'), 'zstd'],
];

test.each(compressed)('extracting %s returns the diff ID', needs('zstd'), async (mediaType, bytes, compression) => {
  const [content, target, seen] = [new TestContent(), newDirectory(), [0]];
  const layer = content.add(bytes(), mediaType);
  const differ = createDiffer({ content, flavour: 'user' });
  const result = await differ.extract(layer, target, { from: content, onProgress: (count) => seen.push(count) });
  expect(result).toEqual({ diffId: digestOf(archive), compression, selfContained: true });
  expect(seen.at(-1)).toBe(layer.size);
  expect(lstatSync(join(target, 'd')).mtimeMs).toBe(1e12);
  expect(lstatSync(join(target, 'd/x'))).toMatchObject({ mtimeMs: -5000, size: 800_000 });
});

test.each([
  ['gzip but is uncompressed', archive, MediaType.layerGzip],
  ['uncompressed but is gzip', gzipSync(archive), MediaType.layer],
  ['zstd but is gzip', gzipSync(archive), MediaType.layerZstd],
])('extracts a layer whose media type says %s', async (_, bytes, mediaType) => {
  const content = new TestContent();
  const differ = createDiffer({ content, flavour: 'user' });
  const result = await differ.extract(content.add(bytes, mediaType), newDirectory(), { from: content });
  expect(result.diffId).toBe(digestOf(archive));
});

test('extracting fails on damaged compression, an unknown media type and an abort', async () => {
  const [content, differ] = [new TestContent(), createDiffer({ content: new TestContent(), flavour: 'user' })];
  const damaged = content.add(gzipSync(archive).subarray(0, 500), MediaType.layerGzip);
  await expect(differ.extract(damaged, newDirectory(), { from: content })).rejects.toMatchObject({ code: 'SNAPSHOT' });
  const unknown = content.add(archive, 'text/plain');
  await expect(differ.extract(unknown, newDirectory(), { from: content })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
  const sound = content.add(archive);
  await expect(
    differ.extract(sound, newDirectory(), { from: content, signal: AbortSignal.abort() }),
  ).rejects.toMatchObject({
    name: 'AbortError',
  });
});

test('extracting throws the error of the provider', async () => {
  const from = {
    has: async () => true,
    read: async () =>
      (async function* () {
        yield gzipSync(archive);
        throw new TypeError('read');
      })(),
  };
  const layer = new TestContent().add(archive, MediaType.layerGzip);
  await expect(
    createDiffer({ content: new TestContent(), flavour: 'user' }).extract(layer, newDirectory(), { from }),
  ).rejects.toThrow('read');
});

test("extracting reads GNU tar's formats", async () => {
  const source = newDirectory();
  const name = 'long-'.repeat(40);
  shell(`mkdir -p d/${name}; echo hi > d/${name}/x; ln -s ${name}${name} d/l; ln d/${name}/x d/h`, source);
  for (const format of ['gnu', 'posix', 'pax --pax-option=exthdr.name=%d/x']) {
    shell(`tar cf a.tar --format=${format} d`, source);
    const [content, target] = [new TestContent(), newDirectory()];
    await createDiffer({ content, flavour: 'user' }).extract(content.add(readFileSync(join(source, 'a.tar'))), target, {
      from: content,
    });
    expect(shell(`diff -r --no-dereference d '${target}/d'; readlink '${target}/d/l'`, source).trim()).toBe(
      name + name,
    );
  }
});

function pipeThrough(program: string): Buffer {
  const directory = newDirectory();
  writeFileSync(join(directory, 'a'), archive);
  shell(`${program} -c a > b`, directory);
  return readFileSync(join(directory, 'b'));
}
