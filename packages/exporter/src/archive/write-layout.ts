import { randomBytes } from 'node:crypto';
import { renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyImage, createLocalStore, type Provider } from '@tbuild/content';
import { errnoName } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import type { Descriptor } from '@tbuild/oci';
import { listDirectory } from '@tbuild/store';
import { updateLayoutIndex } from './layout-directory.ts';

/** An image or index for a layout. */
export interface LayoutImage {
  readonly root: Descriptor;
  readonly content: Provider;
  /** Returns the entries of the index after those that are there have been joined by the image's own. */
  entries(present: readonly Descriptor[]): readonly Descriptor[];
}

/**
 * Writes an image into a directory as an OCI image layout. Adds to an existing layout, and replaces images of the same name;
 * `index.json` changes last and in one step.
 */
export async function writeLayout(directory: string, image: LayoutImage, signal: AbortSignal): Promise<void> {
  if (listDirectory(directory).length > 0) return addToLayout(directory, image, signal);
  const temporary = `${directory}.${randomBytes(6).toString('hex')}.tmp`;
  makeDirectory(dirname(directory));
  try {
    await addToLayout(temporary, image, signal);
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function addToLayout(
  directory: string,
  { root, content, entries }: LayoutImage,
  signal: AbortSignal,
): Promise<void> {
  makeDirectory(directory);
  await copyImage(root, { from: content, to: createLocalStore(directory) }, { signal });
  removeIfEmpty(join(directory, 'tmp'));
  updateLayoutIndex(directory, entries);
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errnoName(error) !== 'ENOENT' && errnoName(error) !== 'ENOTEMPTY') throw error;
  }
}
