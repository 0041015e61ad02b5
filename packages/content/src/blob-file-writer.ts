import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createHoleWriter, makeDirectory } from '@tbuild/linux';
import type { Digest } from '@tbuild/oci';
import { renameOver } from '@tbuild/store';
import type { BlobWriter } from './content-store.ts';
import { checkBlob } from './verified.ts';

const BUFFER_SIZE = 256 * 1024;

/** The places of a writer's temporary file and of its blob. */
export interface BlobFiles {
  readonly temporaryDirectory: string;
  pathOf(digest: Digest): string;
  /** Called when a blob has its name. */
  onCommit?(digest: Digest): void;
}

/**
 * Creates a writer that writes a blob to a temporary file and renames it to its digest. It gathers small pieces, so that hash and
 * system calls get large ones.
 */
export function createBlobFileWriter(
  { temporaryDirectory, pathOf, onCommit }: BlobFiles,
  verified?: Digest,
): BlobWriter {
  const { path: temporary, fd } = createTemporary(temporaryDirectory);
  const hash = verified === undefined ? createHash('sha256') : undefined;
  const buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  const file = createHoleWriter(fd);
  let [filled, open] = [0, true];

  const put = (bytes: Uint8Array): void => {
    hash?.update(bytes);
    file.write(bytes);
  };
  const flush = (): void => {
    const part = buffer.subarray(0, filled);
    filled = 0;
    if (part.length > 0) put(part);
  };
  const close = (): void => {
    open = false;
    closeSync(fd);
  };

  return {
    write(bytes) {
      if (filled + bytes.length > BUFFER_SIZE) flush();
      if (bytes.length >= BUFFER_SIZE) return put(bytes);
      buffer.set(bytes, filled);
      filled += bytes.length;
    },
    commit(expected) {
      flush();
      const digest = hash === undefined ? verified : (`sha256:${hash.digest('hex')}` as const);
      if (digest === undefined) throw new Error('A blob without a digest');
      const blob = { digest, size: file.finish() };
      if (expected !== undefined) checkBlob(blob, { digest: expected });
      close();
      moveInto(temporary, pathOf(blob.digest));
      onCommit?.(blob.digest);
      return blob;
    },
    [Symbol.dispose]() {
      if (open) close();
      rmSync(temporary, { force: true });
    },
  };
}

function createTemporary(directory: string): { path: string; fd: number } {
  const path = join(directory, `blob-${process.pid}-${randomBytes(6).toString('hex')}`);
  makeDirectory(directory);
  return { path, fd: openSync(path, 'wx', 0o644) };
}

// Replacing the file of a concurrent writer is harmless: its bytes are the same.
function moveInto(temporary: string, path: string): void {
  makeDirectory(dirname(path));
  renameOver(temporary, path);
}
