import { join } from 'node:path';
import { readLimitedFile } from '@tbuild/linux';
import { goJson, isIndex, parseManifest, type Descriptor } from '@tbuild/oci';
import { writeAtomically } from '@tbuild/store';
import { layoutMark } from './layout-archive.ts';
import { layoutIndex, withEntries } from './layout-index.ts';

/**
 * Adds entries to the index of a layout directory, which gets one if it has none, in one step. They replace those of the
 * same name. Returns all entries.
 */
export function addToLayoutIndex(directory: string, added: readonly Descriptor[]): readonly Descriptor[] {
  return updateLayoutIndex(directory, (present) => withEntries(present, added));
}

/** Changes the entries of the index of a layout directory, in one step, and returns the new ones. */
export function updateLayoutIndex(
  directory: string,
  update: (present: readonly Descriptor[]) => readonly Descriptor[],
): readonly Descriptor[] {
  const entries = update(presentEntries(directory));
  writeAtomically(join(directory, layoutMark.name), JSON.stringify(layoutMark.content));
  writeAtomically(join(directory, 'index.json'), goJson(layoutIndex(entries)));
  return entries;
}

function presentEntries(directory: string): readonly Descriptor[] {
  const file = join(directory, 'index.json');
  const bytes = readLimitedFile(file, { what: `Index ${JSON.stringify(file)}`, code: 'REGISTRY' });
  const index = bytes === undefined ? undefined : parseManifest(bytes);
  return index !== undefined && isIndex(index) ? index.manifests : [];
}
