import type { BlobWriter, Provider } from '@tbuild/content';
import { digestOf, MediaType, type Descriptor, type Digest } from '@tbuild/oci';
import { encodeTarHeader } from './tar/encode-tar-header.ts';
import { paddingOf, TarType, type TarEntry } from './tar/tar-entry.ts';

/** A content store in memory. */
export class TestContent implements Provider {
  readonly blobs = new Map<Digest, Buffer>();

  createWriter(): BlobWriter {
    const chunks: Buffer[] = [];
    return {
      write: (bytes) => void chunks.push(Buffer.from(bytes)),
      commit: () => {
        const { digest, size } = this.add(Buffer.concat(chunks));
        return { digest, size };
      },
      [Symbol.dispose]: () => {},
    };
  }

  add(bytes: Buffer, mediaType: string = MediaType.layer): Descriptor {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async has({ digest }: { readonly digest: Digest }): Promise<boolean> {
    return this.blobs.has(digest);
  }

  /** Reads in chunks of odd lengths, so that every field is split somewhere. */
  async read({ digest }: Descriptor): Promise<AsyncIterable<Uint8Array>> {
    const blob = this.blobs.get(digest) ?? Buffer.alloc(0);
    return (async function* () {
      for (let at = 0, step = 1; at < blob.length; at += step, step = (step * 7) % 1009)
        yield blob.subarray(at, at + step);
    })();
  }
}

export type Member = Partial<TarEntry> & { readonly name: string; readonly text?: string };

/** Makes an archive of these members. The default type is a file. */
export function tarOf(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ text = '', ...member }) => {
    const bytes = Buffer.from(text);
    const entry = { ...PLAIN, size: bytes.length, ...member };
    return [encodeTarHeader(entry), bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

const PLAIN = { type: TarType.file, mode: 0o644, uid: 0, gid: 0, mtimeMs: 0, linkName: '', major: 0, minor: 0 };
