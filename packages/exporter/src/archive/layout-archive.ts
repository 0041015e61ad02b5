import { fromBytes, readBriefly, type Provider } from '@tbuild/content';
import { goJson, hexOf, type Descriptor, type Digest } from '@tbuild/oci';
import type { ArchiveFile } from './pack-archive.ts';

/** A JSON file beside the blobs. */
export interface LayoutFile {
  readonly name: string;
  readonly content: unknown;
}

/** Returns the path of a blob in a layout. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** The file that marks a directory or archive as an OCI image layout. */
export const layoutMark: LayoutFile = { name: 'oci-layout', content: { imageLayoutVersion: '1.0.0' } };

/** The files of a layout besides its blobs, and where these are read. */
export interface LayoutSource {
  readonly files: readonly LayoutFile[];
  readonly content: Provider;
  readonly signal: AbortSignal;
}

/** Returns blobs and files as an image layout in a tar; the same input gives the same bytes. Loads the code for archives on first use. */
export async function* layoutArchive(
  blobs: readonly Descriptor[],
  { files, content, signal }: LayoutSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { packArchive } = await import('./pack-archive.ts');
  const documents = files.map(({ name, content: document }): ArchiveFile => {
    const bytes = Buffer.from(goJson(document));
    return { name, size: bytes.length, open: async () => fromBytes(bytes) };
  });
  const stored = blobs.map((blob): ArchiveFile => ({
    name: blobPath(blob.digest),
    size: blob.size,
    open: () => readBriefly(content, blob, signal),
  }));
  yield* packArchive(['blobs/', 'blobs/sha256/'], [...stored, ...documents]);
}
