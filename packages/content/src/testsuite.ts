import { randomBytes } from 'node:crypto';
import { hasCode } from '@tbuild/errors';
import { digestOf, type Descriptor } from '@tbuild/oci';
import { describe, expect, test } from 'vitest';
import type { ContentStore, Ingester, Provider } from './content-store.ts';
import { readBriefly } from './read-briefly.ts';

const MEDIA_TYPE = 'application/octet-stream';
// Larger than any buffer, and of a size that is no multiple of one.
const LARGE = Buffer.alloc(1_500_001, 'tbuild ');

/** Tests everything that reads and writes blobs: stores, and repositories of a registry. */
export function testTarget(name: string, open: () => Promise<Provider & Ingester>): void {
  describe(name, () => {
    test('reads back written bytes, with and without an expected digest', async () => {
      const target = await open();
      for (const bytes of [Buffer.from('one'), Buffer.alloc(0), LARGE]) {
        const expected = describeBytes(bytes);
        expect(await target.write(pieces(bytes), expected)).toEqual({ digest: expected.digest, size: bytes.length });
        expect(await target.has({ digest: expected.digest })).toBe(true);
        expect((await collect(await target.read(expected))).equals(bytes)).toBe(true);
      }
      const unnamed = Buffer.from('a blob whose digest is not known before');
      expect(await target.write(pieces(unnamed))).toEqual({ digest: digestOf(unnamed), size: unnamed.length });
      expect(await target.has({ digest: digestOf(unnamed) })).toBe(true);
    });

    test('writing an existing blob succeeds, also at the same time', async () => {
      const target = await open();
      const bytes = Buffer.from('written many times');
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const written = await Promise.all([1, 2, 3].map(() => target.write(pieces(bytes), describeBytes(bytes))));
      expect(written).toEqual([blob, blob, blob]);
      expect(await target.write(pieces(bytes), describeBytes(bytes))).toEqual(blob);
    });

    test('reports a blob that was never written as missing', async () => {
      const target = await open();
      const absent = describeBytes(Buffer.from('absent'));
      expect(await target.has({ digest: absent.digest })).toBe(false);
      expect(await failure(async () => collect(await target.read(absent)))).toSatisfy((error) =>
        hasCode(error, 'NOT_FOUND'),
      );
    });

    test.each([
      ['other bytes of the same length', Buffer.from('expectee')],
      ['too few bytes', Buffer.from('expect')],
      ['too many bytes', Buffer.from('expected and more')],
    ])('refuses %s and keeps nothing', async (_, wrong) => {
      const target = await open();
      const expected = describeBytes(Buffer.from('expected'));
      expect(await failure(() => target.write(pieces(wrong), expected))).toSatisfy((error) =>
        hasCode(error, 'DIGEST_MISMATCH'),
      );
      expect(await target.has({ digest: expected.digest })).toBe(false);
      expect(await target.has({ digest: digestOf(wrong) })).toBe(false);
    });

    test('a source that fails leaves nothing', async () => {
      const target = await open();
      const bytes = Buffer.from('the second half of this never comes');
      const broken = new Error('source broke');
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 10);
        throw broken;
      };
      expect(await failure(() => target.write(source(), describeBytes(bytes)))).toBeInstanceOf(Error);
      expect(await target.has({ digest: digestOf(bytes) })).toBe(false);
    });

    test('a chunk of readBriefly is valid until six more were requested', async () => {
      const target = await open();
      const bytes = randomBytes(3_000_000);
      const blob = describeBytes(bytes);
      await target.write(pieces(bytes), blob);
      const chunks: Uint8Array[] = [];
      const whole: Uint8Array[] = [];
      for await (const chunk of await readBriefly(target, blob)) {
        chunks.push(chunk);
        if (chunks.length > 6) whole.push(Buffer.from(chunks.shift() ?? []));
      }
      expect(Buffer.concat([...whole, ...chunks]).equals(bytes)).toBe(true);
      const reason = new Error('stop');
      expect(await failure(async () => collect(await readBriefly(target, blob, AbortSignal.abort(reason))))).toBe(
        reason,
      );
    });

    test('an aborted read or write ends', async () => {
      const target = await open();
      const bytes = Buffer.from('to be aborted');
      await target.write(pieces(bytes), describeBytes(bytes));
      const reason = new Error('stop');
      const signal = AbortSignal.abort(reason);
      expect(await failure(async () => collect(await target.read(describeBytes(bytes), signal)))).toBe(reason);
      const other = Buffer.from('to be aborted as well');
      expect(await failure(() => target.write(pieces(other), describeBytes(other), signal))).toBe(reason);
      expect(await target.has({ digest: digestOf(other) })).toBe(false);
    });
  });
}

/** Tests a {@link ContentStore}. `open` returns an empty one. */
export function testContentStore(name: string, open: () => Promise<ContentStore>): void {
  testTarget(name, open);
  describe(name, () => {
    test('lists and deletes', async () => {
      const store = await open();
      expect(await listed(store)).toEqual([]);
      const blobs = [Buffer.from('a'), Buffer.from('bb')];
      for (const bytes of blobs) await store.write(pieces(bytes));
      expect(await listed(store)).toEqual(blobs.map((bytes) => `${digestOf(bytes)} ${bytes.length}`).sort());
      await store.delete(digestOf('a'));
      await store.delete(digestOf('a'));
      expect(await listed(store)).toEqual([`${digestOf('bb')} 2`]);
      expect(await store.has({ digest: digestOf('a') })).toBe(false);
    });

    test('a writer copies small and large pieces', async () => {
      const store = await open();
      const shared = Buffer.alloc(1000);
      const all: Buffer[] = [];
      using writer = store.createWriter();
      for (let index = 0; index < 700; index += 1) {
        shared.fill(index);
        all.push(Buffer.from(shared));
        writer.write(shared);
      }
      writer.write(LARGE);
      all.push(LARGE);
      const bytes = Buffer.concat(all);
      expect(writer.commit()).toEqual({ digest: digestOf(bytes), size: bytes.length });
      expect((await collect(await store.read(describeBytes(bytes)))).equals(bytes)).toBe(true);
    });

    test('a writer with a verified digest commits under it', async () => {
      const store = await open();
      using writer = store.createWriter(digestOf(LARGE));
      writer.write(LARGE);
      expect(writer.commit()).toEqual({ digest: digestOf(LARGE), size: LARGE.length });
      expect((await collect(await store.read(describeBytes(LARGE)))).equals(LARGE)).toBe(true);
    });

    test('a writer without commit, or with another digest than expected, leaves nothing', async () => {
      const store = await open();
      {
        using writer = store.createWriter();
        writer.write(Buffer.from('dropped'));
      }
      {
        using writer = store.createWriter();
        writer.write(Buffer.from('wrong'));
        expect(await failure(async () => writer.commit(digestOf('right')))).toSatisfy((error) =>
          hasCode(error, 'DIGEST_MISMATCH'),
        );
      }
      expect(await listed(store)).toEqual([]);
    });
  });
}

function describeBytes(bytes: Uint8Array): Descriptor {
  return { mediaType: MEDIA_TYPE, digest: digestOf(bytes), size: bytes.length };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listed(store: ContentStore): Promise<string[]> {
  const blobs: string[] = [];
  for await (const { digest, size } of store.list()) blobs.push(`${digest} ${size}`);
  return blobs.sort();
}

async function failure(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
