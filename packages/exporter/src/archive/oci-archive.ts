import { randomBytes } from 'node:crypto';
import { renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyImage, createLocalStore } from '@tbuild/content';
import { errnoName } from '@tbuild/errors';
import type { VariantStore } from '@tbuild/layers';
import { makeDirectory } from '@tbuild/linux';
import type { Descriptor } from '@tbuild/oci';
import type { ImageFormat } from '@tbuild/spec';
import { listDirectory } from '@tbuild/store';
import { explaining, nameOf, writeTo, type Destination } from '../destination.ts';
import { encodeCompressed, exportedTo, preparingCompressed, type EncodedExport } from '../encode/encode-export.ts';
import type { Exporter } from '../exporter.ts';
import { imageArchive } from './image-archive.ts';
import { addToLayoutIndex } from './layout-directory.ts';
import { namedEntries } from './layout-index.ts';

/** Layers are compressed with gzip unless a compression is given. */
export interface OciArchiveOptions extends ImageFormat {
  /** A stream is for an archive only. */
  readonly destination: Destination;
  readonly store: VariantStore;
}

const NAME = 'exporting to oci image format';

/** Writes an OCI image layout as a tar, with several platforms under one index. */
export function ociArchive({ destination, ...options }: OciArchiveOptions): Exporter {
  return {
    name: NAME,
    ...preparingCompressed(options),
    async export(result, report, signal) {
      const encoded = await encodeCompressed(result, options, { report, signal });
      await writeTo(destination, imageArchive(encoded, result.names, { report, signal }));
      return exportedTo(nameOf(destination), encoded);
    },
  };
}

/**
 * Writes an OCI image layout as a directory (`tar=false`). Adds to an existing layout, and replaces images of the same
 * name; `index.json` changes last and in one step.
 */
export function ociLayout({ destination, ...options }: OciArchiveOptions & { readonly destination: string }): Exporter {
  return {
    name: NAME,
    ...preparingCompressed(options),
    async export(result, report, signal) {
      const encoded = await encodeCompressed(result, options, { report, signal });
      const entries = namedEntries(encoded.root, result.names);
      const write = async (): Promise<void> =>
        (listDirectory(destination).length > 0 ? addToLayout : makeLayout)(destination, { encoded, entries }, signal);
      await explaining(destination, write);
      return exportedTo(destination, encoded);
    },
  };
}

interface LayoutAddition {
  readonly encoded: EncodedExport;
  /** Its entries in the index. */
  readonly entries: readonly Descriptor[];
}

async function makeLayout(directory: string, addition: LayoutAddition, signal: AbortSignal): Promise<void> {
  const temporary = `${directory}.${randomBytes(6).toString('hex')}.tmp`;
  makeDirectory(dirname(directory));
  try {
    await addToLayout(temporary, addition, signal);
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function addToLayout(
  directory: string,
  { encoded, entries }: LayoutAddition,
  signal: AbortSignal,
): Promise<void> {
  makeDirectory(directory);
  await copyImage(encoded.root, { from: encoded.content, to: createLocalStore(directory) }, { signal });
  removeIfEmpty(join(directory, 'tmp'));
  addToLayoutIndex(directory, entries);
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errnoName(error) !== 'ENOENT' && errnoName(error) !== 'ENOTEMPTY') throw error;
  }
}
