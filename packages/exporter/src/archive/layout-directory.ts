import { join } from 'node:path';
import { readLayoutIndex } from '@tbuild/content';
import { goJson, type Descriptor } from '@tbuild/oci';
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
  const entries = update(readLayoutIndex(directory) ?? []);
  writeAtomically(join(directory, layoutMark.name), JSON.stringify(layoutMark.content));
  writeAtomically(join(directory, 'index.json'), goJson(layoutIndex(entries)));
  return entries;
}
