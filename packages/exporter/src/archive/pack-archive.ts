import { once } from 'node:events';
import { pack, type Pack } from 'tar-stream';

/** A file of an archive, read when its turn comes. */
export interface ArchiveFile {
  readonly name: string;
  readonly size: number;
  open(): Promise<AsyncIterable<Uint8Array>>;
}

/** The owner and time of everything in an archive: nobody and never, so that the same files give the same bytes. */
const TIMELESS = { uid: 0, gid: 0, mtime: new Date(0) } as const;

/**
 * Returns an archive of few and large files. Only one chunk of a file is in memory; a reader that stops ends the
 * archive.
 */
export async function* packArchive(
  directories: readonly string[],
  files: readonly ArchiveFile[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const archive = pack();
  const written = writeAll(archive, directories, files).catch((error: unknown) =>
    archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  // A pack gives bytes only.
  yield* archive as AsyncIterable<Uint8Array>;
  await written;
}

async function writeAll(archive: Pack, directories: readonly string[], files: readonly ArchiveFile[]): Promise<void> {
  for (const name of directories) archive.entry({ ...TIMELESS, name, type: 'directory', mode: 0o755 });
  for (const file of files) await writeFile(archive, file);
  archive.finalize();
}

async function writeFile(archive: Pack, { name, size, open }: ArchiveFile): Promise<void> {
  const chunks = await open();
  if (archive.destroyed) return;
  const entry = archive.entry({ ...TIMELESS, name, size, mode: 0o644 });
  // The archive itself reports the error that destroyed it.
  entry.on('error', () => {});
  const closed = new Promise<void>((resolve) => void entry.once('close', () => resolve()));
  for await (const chunk of chunks) {
    // An archive without a reader closes its entry, which then never drains.
    if (!entry.write(chunk)) await Promise.race([once(entry, 'drain'), closed]);
    if (archive.destroyed) return;
  }
  entry.end(undefined);
  await closed;
}
