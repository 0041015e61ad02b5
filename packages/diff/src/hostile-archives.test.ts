import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { createTreeWriter } from '@tbuild/snapshot';
import { newDirectory, writableFlavours } from '@tbuild/snapshot/testsuite';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/support/random.ts';
import { needs } from '../../../test/support/requirements.ts';
import { createDiffer, unpackArchive } from './index.ts';
import { BLOCK, checksumOf, Field, TarType } from './tar/tar-entry.ts';
import { tarOf, TestContent, type Member } from './test-tree.ts';

/** Archives generated from a seed, hostile by their names, links, order and bytes. */
const ARCHIVES = 600;

type Random = (below: number) => number;

const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;

const PARTS = ['a', 'b', 'l', 'd', 'own', '..', '.', '', 'été', 'n'.repeat(255), 'n'.repeat(256), 'l', '..'] as const;
const WHITEOUTS = [
  '.wh.a',
  '.wh.own',
  '.wh.',
  '.wh..',
  '.wh...',
  '.wh..wh..opq',
  '.wh..wh.x',
  '.wh..wh..wh.a',
] as const;
const TYPES = Object.values(TarType);

/** The same directory contains the trees of the archive and the files outside them. */
function members(random: Random, outside: string): Member[] {
  const name = (): string => {
    const parts = Array.from({ length: 1 + random(4) }, () => pick(PARTS, random));
    if (random(6) === 0) parts.push(pick(WHITEOUTS, random) as never);
    return (random(8) === 0 ? '/' : '') + parts.join('/') + (random(8) === 0 ? '/' : '');
  };
  const target = (): string =>
    pick([outside, `${outside}/file`, '../outside/file', '../../outside', '/', '.', '..', 'l', name(), name()], random);
  return Array.from({ length: 1 + random(12) }, () => ({
    name: name(),
    type: pick([...TYPES, TarType.symlink, TarType.link, TarType.file], random),
    linkName: target(),
    mode: random(0o10000),
    uid: random(3),
    mtimeMs: random(2 ** 31) * 1000,
    text: random(3) === 0 ? 'x'.repeat(random(2000)) : '',
    ...(random(2) === 0 ? { major: 0, minor: 0 } : { major: 1, minor: 3 }),
  })).map(({ text, ...member }) => (member.type === TarType.file ? { ...member, text } : member));
}

/** Values that no archiver writes: negative and huge numbers, NULs, other types, truncation. */
const DAMAGES: readonly ((archive: Buffer, random: Random) => Buffer)[] = [
  (archive) => archive,
  (archive) => archive,
  (archive, random) => archive.subarray(0, random(archive.length)),
  (archive, random) => changeHeader(archive, random, (block) => void (block[random(BLOCK)] = random(256))),
  (archive, random) => changeHeader(archive, random, (block) => block.fill(0xff, Field.size[0], Field.size[0] + 12)),
  (archive, random) =>
    changeHeader(archive, random, (block) => {
      block.fill(0, Field.size[0], Field.size[0] + 12);
      block[Field.size[0]] = 0x80;
      block[Field.size[0] + random(12)] = 0x7f;
    }),
  (archive, random) =>
    changeHeader(
      archive,
      random,
      (block) => void (block[Field.type[0]] = pick(['x', 'g', 'L', 'K', 'S', '7', '\0', 'V'], random).charCodeAt(0)),
    ),
  (archive, random) => Buffer.concat([archive.subarray(0, BLOCK * random(archive.length / BLOCK)), archive]),
  (archive, random) =>
    Buffer.concat([
      paxOf(
        pick(
          ['path', 'linkpath', 'size', 'mtime', 'uid', 'SCHILY.xattr.user.x', 'SCHILY.xattr.trusted.overlay.redirect'],
          random,
        ),
        pick(['../../outside/file', 'a\0b', '-1', '9'.repeat(30), '1e3', '', '/', '\ufffd\u0000'], random),
      ),
      archive,
    ]),
];

/** Changes one block and updates its checksum, so that it stays a header. */
function changeHeader(archive: Buffer, random: Random, change: (block: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  const at = BLOCK * random(archive.length / BLOCK);
  const block = copy.subarray(at, at + BLOCK);
  change(block);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, Field.checksum[0], 'latin1');
  return copy;
}

function paxOf(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body);
  while (String(length).length + Buffer.byteLength(body) !== length)
    length = String(length).length + Buffer.byteLength(body);
  const [header] = [tarOf([{ name: 'pax', text: `${length}${body}` }]).subarray(0, -2 * BLOCK)];
  return changeHeader(
    header,
    () => 0,
    (block) => void (block[Field.type[0]] = 'x'.charCodeAt(0)),
  );
}

/** Lists everything below a directory with all attributes that an archive could change. */
function listing(directory: string, path = ''): string[] {
  return readdirSync(join(directory, path)).flatMap((name) => {
    const child = join(path, name);
    const { mode, uid, nlink, size, mtimeMs, ctimeMs, ino } = lstatSync(join(directory, child));
    const isDirectory = (mode & 0o170000) === 0o040000;
    const line = [child, mode, uid, nlink, size, mtimeMs, ctimeMs, ino].join(' ');
    return isDirectory ? [line, ...listing(directory, child)] : [line];
  });
}

/** Returns the files below the directory that this process has open. */
function openBelow(directory: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => readlink(`/proc/self/fd/${fd}`));
  return targets.filter((target) => target.startsWith(directory));
}

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor that readdir itself used.
    return '';
  }
}

test(
  'hostile archives change nothing outside their root and fail only with a SNAPSHOT error',
  needs('root'),
  async () => {
    const root = newDirectory();
    const at = (name: string): string => join(root, name);
    for (const name of ['outside', 'lower', 'lower/own']) mkdirSync(at(name));
    for (const name of ['outside/file', 'lower/own/file', 'lower/a']) writeFileSync(at(name), name);
    symlinkSync('../outside', at('lower/l'));
    symlinkSync(at('outside'), at('lower/d'));
    const [flavour = 'user'] = writableFlavours();
    const before = [...listing(at('outside')), ...listing(at('lower'))];
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= ARCHIVES; seed++) {
      const random = seededRandom(seed).int;
      const archive = pick(DAMAGES, random)(tarOf(members(random, at('outside'))), random);
      const target = at('target');
      mkdirSync(target);
      const lowers = pick([undefined, [], [at('lower')]], random);
      const content = new TestContent();
      const work =
        random(3) === 0
          ? unpack(archive, { target, lowers: lowers ?? [], location: at('archive') })
          : createDiffer({ content, flavour }).extract(content.add(archive), target, { from: content, lowers });
      const outcome = await work.then(
        () => 'done',
        (error: unknown) => (error instanceof TbuildError ? error.code : `seed ${seed}: ${String(error)}`),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      expect([...listing(at('outside')), ...listing(at('lower'))], `seed ${seed}`).toEqual(before);
      expect(
        readdirSync(root)
          .filter((name) => name !== 'archive')
          .sort(),
        `seed ${seed}`,
      ).toEqual(['lower', 'outside', 'target']);
      rmSync(target, { recursive: true });
    }
    expect([...outcomes.keys()].sort()).toEqual(['SNAPSHOT', 'done']);
    expect(Math.min(...outcomes.values())).toBeGreaterThan(ARCHIVES / 20);
    await expect.poll(() => openBelow(root)).toEqual([]);

    async function unpack(
      archive: Buffer,
      { target, lowers, location }: { target: string; lowers: readonly string[]; location: string },
    ) {
      writeFileSync(location, archive);
      const writer = createTreeWriter({ upper: target, lowers, flavour });
      await unpackArchive(location, { writer, destination: '', onSkippedDevice: () => {} });
      writer.finish();
    }
  },
);
