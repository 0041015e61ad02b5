import { lstatSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import {
  digestOf,
  familiarReference,
  formatReference,
  hexOf,
  MediaType,
  parseDescriptor,
  parseReference,
  type Descriptor,
  type Digest,
  type Reference,
} from '@tbuild/oci';
import { listDirectory, readText, withLock, writeAtomically, type StoreLayout } from '@tbuild/store';
import type { ImageRef, ImageRefs, UnnamedImage } from './image-refs.ts';
import { Annotation } from './layout-annotations.ts';

const LONGEST_NAME = 200;
const LAYOUT = JSON.stringify({ imageLayoutVersion: '1.0.0' });

/** The parts of a store that this file uses. */
export type RefsStore = Pick<StoreLayout, 'root' | 'refs' | 'temporary'>;

/**
 * Keeps the names of a store in `ROOT/refs`, one file each, so that writers of different names do not conflict. Each file is an entry
 * of `ROOT/index.json`, which is generated from them on every change: other tools read ROOT as an OCI image layout and find `app:1`
 * as `oci:ROOT:app:1`. The file of an image without a name is named by its digest.
 */
export function createRefs(store: RefsStore): ImageRefs {
  const { refs: directory, temporary } = store;
  const pathOf = (reference: Reference): string => join(directory, fileName(formatReference(reference)));

  const unnamedPathOf = (digest: Digest): string => join(directory, unnamedFileName(digest));
  const write = (path: string, entry: Descriptor): void => {
    makeDirectory(directory);
    replaceFile(path, JSON.stringify(entry), temporary);
    writeIndex(store);
  };
  const forget = (path: string): boolean => {
    if (readText(path) === undefined) return false;
    rmSync(path, { force: true });
    writeIndex(store);
    return true;
  };

  return {
    list: () =>
      entriesOf(directory)
        .filter(isNamed)
        .map(refOf)
        .sort((a, b) => compare(formatReference(a.reference), formatReference(b.reference))),
    get(reference) {
      const entry = readEntry(pathOf(reference));
      return entry === undefined ? undefined : refOf(entry).target;
    },
    set(reference, target) {
      write(pathOf(reference), entryOf(reference, target));
      forget(unnamedPathOf(target.digest));
    },
    remove: (reference) => forget(pathOf(reference)),
    unnamed: () =>
      entriesOf(directory)
        .filter((entry) => !isNamed(entry))
        .flatMap((target) => unnamedImage(target, unnamedPathOf(target.digest)))
        .sort((a, b) => b.keptAt - a.keptAt),
    keep(target) {
      const hasName = entriesOf(directory).some((entry) => isNamed(entry) && entry.digest === target.digest);
      if (!hasName) write(unnamedPathOf(target.digest), target);
    },
    drop: (digest) => forget(unnamedPathOf(digest)),
  };
}

/** Returns the files of names that cannot be read. */
export function damagedRefs({ refs }: Pick<StoreLayout, 'refs'>): readonly string[] {
  return listDirectory(refs).filter((name) => readEntry(join(refs, name)) === undefined && isThere(join(refs, name)));
}

/** Reports whether `index.json` and `oci-layout` are those of the names. */
export function isIndexCurrent({ root, refs }: RefsStore): boolean {
  return readText(join(root, 'oci-layout')) === LAYOUT && readText(join(root, 'index.json')) === indexOf(refs);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isNamed({ annotations = {} }: Descriptor): boolean {
  return annotations[Annotation.containerdName] !== undefined;
}

/** Returns nothing when the image was dropped in the meantime. */
function unnamedImage(target: Descriptor, path: string): readonly UnnamedImage[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [{ target, keptAt: stats.mtimeMs }];
}

/** No name has this file, because a full reference has a slash. */
function unnamedFileName(digest: Digest): string {
  return digest.replace(':', '=');
}

/**
 * Writes the index under a lock, so that it has every name whose writer is done. Checks again after writing: if the lock of a slow
 * process was taken over, the last writer has still seen the last change.
 */
export function writeIndex({ root, refs: directory, temporary }: RefsStore): void {
  replaceFile(join(root, 'oci-layout'), LAYOUT, temporary);
  withLock(join(temporary, 'index.lock'), () => {
    let text = indexOf(directory);
    for (let written; written !== text; text = indexOf(directory)) {
      replaceFile(join(root, 'index.json'), text, temporary);
      written = text;
    }
  });
}

function indexOf(directory: string): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests: entriesOf(directory) });
}

function entriesOf(directory: string): readonly Descriptor[] {
  const names = listDirectory(directory).toSorted(compare);
  return names.flatMap((name) => {
    const entry = readEntry(join(directory, name));
    return entry === undefined ? [] : [entry];
  });
}

function readEntry(path: string): Descriptor | undefined {
  const text = readText(path);
  try {
    const entry = text === undefined ? undefined : parseDescriptor(JSON.parse(text));
    return entry !== undefined && fileOf(entry) === basename(path) ? entry : undefined;
  } catch {
    // An unclean shutdown may leave an incomplete file.
    return undefined;
  }
}

/** Returns the file name that an entry has to have. */
function fileOf({ annotations, digest }: Descriptor): string {
  const name = annotations?.[Annotation.containerdName];
  return name === undefined ? unnamedFileName(digest) : fileName(name);
}

function entryOf(reference: Reference, target: Descriptor): Descriptor {
  const annotations = {
    ...target.annotations,
    [Annotation.containerdName]: formatReference(reference),
    [Annotation.refName]: familiarReference(reference),
  };
  return { ...target, annotations };
}

function refOf(entry: Descriptor): ImageRef {
  const { [Annotation.containerdName]: name = '', [Annotation.refName]: _, ...own } = entry.annotations ?? {};
  const { annotations: __, ...bare } = entry;
  return {
    reference: parseReference(name),
    target: Object.keys(own).length === 0 ? bare : { ...bare, annotations: own },
  };
}

/** Returns a file name with "+" and "=", which no reference has, or a digest for a name that is too long. */
function fileName(reference: string): string {
  const name = reference.replaceAll('/', '+').replaceAll(':', '=');
  return name.length > LONGEST_NAME ? hexOf(digestOf(reference)) : name;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Writes a file unless it has the text. */
function replaceFile(path: string, text: string, temporaryDirectory: string): void {
  if (readText(path) !== text) writeAtomically(path, text, { temporaryDirectory, mode: 0o644 });
}
