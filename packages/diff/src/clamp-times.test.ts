import { expect, test } from 'vitest';
import { clampTimes } from './clamp-times.ts';
import { encodeTarHeader } from './tar/encode-tar-header.ts';
import { TarType, type TarEntry } from './tar/tar-entry.ts';
import { TarParser } from './tar/tar-parser.ts';

const LATEST = 1_000_000_000;

const entry = (name: string, seconds: number, size = 0): TarEntry => ({
  name,
  size,
  type: TarType.file,
  mode: 0o644,
  uid: 1,
  gid: 2,
  mtimeMs: seconds * 1000,
  linkName: '',
  major: 0,
  minor: 0,
});

/** Headers with bodies of the declared size, which look like headers themselves. */
function archiveOf(entries: readonly TarEntry[]): Buffer {
  const body = encodeTarHeader(entry('body', LATEST + 5));
  const members = entries.flatMap((one) => [
    encodeTarHeader(one),
    Buffer.concat([body, body]).subarray(0, Math.ceil(one.size / 512) * 512),
  ]);
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

async function clamped(archive: Buffer, piece: number, latest: number = LATEST): Promise<Buffer> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += piece) yield archive.subarray(at, at + piece);
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of clampTimes(pieces(), latest)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const before = [
  entry('older', LATEST - 1, 700),
  entry('same', LATEST),
  entry('newer', LATEST + 1, 1),
  entry(`${'deep/'.repeat(60)}long-name`, LATEST + 100, 512),
  entry('beyond-the-plain-field', 10_000_000_000, 3),
  entry('last', LATEST + 1, 1024),
];

test.each([1, 100, 511, 512, 513, 4096, 1 << 20])(
  'clampTimes clamps later times in chunks of %i bytes',
  async (piece) => {
    const archive = archiveOf(before);
    const copy = Buffer.from(archive);
    const result = await clamped(archive, piece);
    expect(archive.equals(copy)).toBe(true);
    const times: [string, number][] = [];
    const parser = new TarParser(({ name, mtimeMs }) => {
      times.push([name, mtimeMs / 1000]);
      return undefined;
    });
    parser.push(result);
    parser.finish();
    expect(times).toEqual(before.map(({ name, mtimeMs }) => [name, Math.min(mtimeMs / 1000, LATEST)]));
  },
);

test('clampTimes passes times before 1970 that are early enough, and refuses to write others', async () => {
  const early = archiveOf([entry('before', -3), entry('long-before', -1_000_000_000)]);
  expect((await clamped(early, 1000, -2)).equals(early)).toBe(true);
  await expect(clamped(early, 1000, -4)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await expect(clamped(archiveOf([entry('later', 0)]), 1000, -1)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('clampTimes leaves early times unchanged and otherwise writes what packing with the limit would', async () => {
  const older = archiveOf(before.slice(0, 2));
  expect((await clamped(older, 1000)).equals(older)).toBe(true);
  const plain = before.filter(({ name }) => !name.startsWith('beyond'));
  const written = archiveOf(plain.map((one) => ({ ...one, mtimeMs: Math.min(one.mtimeMs, LATEST * 1000) })));
  expect((await clamped(archiveOf(plain), 1000)).equals(written)).toBe(true);
});
