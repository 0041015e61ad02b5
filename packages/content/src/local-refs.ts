import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '@tbuild/linux';
import {
  digestOf,
  familiarReference,
  formatReference,
  hexOf,
  MediaType,
  parseDescriptor,
  parseReference,
} from '@tbuild/oci';
import type { Descriptor, Digest, Reference } from '@tbuild/oci';
import { listDirectory, readText, withLock, writeAtomically, type StoreLayout } from '@tbuild/store';
import type { ImageRef, ImageRefs, UnnamedImage } from './image-refs.ts';
import { Annotation } from './layout-annotations.ts';

const LONGEST_NAME = 200;

/** The parts of a store that this file uses. */
export type RefsStore = Pick<StoreLayout, 'root' | 'refs' | 'temporary'>;

/**
 * The names of a store in `ROOT/refs`, one file each: so writers of different names cannot meet. Each
 * file is the entry that `ROOT/index.json` has for it, and that file is made anew from them on every
 * change: other tools read ROOT as an OCI image layout in which `app:1` is found as `oci:ROOT:app:1`.
 * The file of an image without a name is called by its digest.
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

function isNamed({ annotations = {} }: Descriptor): boolean {
  return annotations[Annotation.containerdName] !== undefined;
}

/** None when the image was dropped meanwhile. */
function unnamedImage(target: Descriptor, path: string): readonly UnnamedImage[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [{ target, keptAt: stats.mtimeMs }];
}

/** A full reference has a slash, so the file of no name is called this. */
function unnamedFileName(digest: Digest): string {
  return digest.replace(':', '=');
}

/**
 * Under a lock, so that nobody writes what was so before somebody else's change: who has given a name finds it in the index. Should
 * the lock be taken from one who was only slow, the last one to write still has seen the last change.
 */
function writeIndex({ root, refs: directory, temporary }: RefsStore): void {
  replaceFile(join(root, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }), temporary);
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
    return text === undefined ? undefined : parseDescriptor(JSON.parse(text));
  } catch {
    // A file that a crash of the machine left incomplete names nothing.
    return undefined;
  }
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

// "+" and "=" occur in no reference; a name longer than file names may be is kept under its digest.
function fileName(reference: string): string {
  const name = reference.replaceAll('/', '+').replaceAll(':', '=');
  return name.length > LONGEST_NAME ? hexOf(digestOf(reference)) : name;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Leaves a file alone that has the text already. */
function replaceFile(path: string, text: string, temporaryDirectory: string): void {
  if (readText(path) !== text) writeAtomically(path, text, { temporaryDirectory, mode: 0o644 });
}
