import type { Provider } from '@tbuild/content';
import { hexOf, type Descriptor, type Digest } from '@tbuild/oci';
import { tarEnd, tarHeader, tarPadding } from './tar-entry.ts';

/** A JSON file beside the blobs. */
export interface LayoutFile {
  readonly name: string;
  readonly content: unknown;
}

/** Where a layout keeps a blob. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** The file that marks a directory or archive as an OCI image layout. */
export const layoutMark: LayoutFile = { name: 'oci-layout', content: { imageLayoutVersion: '1.0.0' } };

/** An archive of blobs and files, as an image layout in a tar; the same input gives the same bytes. */
export async function* layoutArchive(
  blobs: readonly Descriptor[],
  files: readonly LayoutFile[],
  content: Provider,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield tarHeader('blobs/', 0);
  yield tarHeader('blobs/sha256/', 0);
  for (const blob of blobs) {
    yield tarHeader(blobPath(blob.digest), blob.size);
    yield* await content.read(blob, signal);
    yield tarPadding(blob.size);
  }
  for (const { name, content: document } of files) {
    const bytes = Buffer.from(JSON.stringify(document));
    yield tarHeader(name, bytes.length);
    yield bytes;
    yield tarPadding(bytes.length);
  }
  yield tarEnd;
}
