import { lstatSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TbuildError } from '@tbuild/errors';
import { makeDirectory } from '@tbuild/linux';
import {
  Annotation,
  type Descriptor,
  type Digest,
  digestOf,
  familiarReference,
  formatReference,
  hexOf,
  isIndex,
  MediaType,
  parseDescriptor,
  parseManifest,
  parseReference,
  type Reference,
} from '@tbuild/oci';
import {
  encodeNote,
  type HeldLock,
  listDirectory,
  modifiedAt,
  readNoteText,
  readText,
  type StoreLayout,
  touch,
  withLock,
  writeAtomically,
} from '@tbuild/store';
import type { ImageRef, ImageRefs, UnnamedImage } from './image-refs.ts';

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
  const directory = store.refs;
  const pathOf = (reference: Reference): string => join(directory, fileName(formatReference(reference)));
  const unnamedPathOf = (digest: Digest): string => join(directory, unnamedFileName(digest));
  return {
    list: () =>
      readEntries(directory)
        .filter(isNamed)
        .map(refOf)
        .sort((a, b) => compare(formatReference(a.reference), formatReference(b.reference))),
    get(reference) {
      const entry = readEntry(pathOf(reference));
      return entry === undefined ? undefined : refOf(entry).target;
    },
    has: (reference) => isThere(pathOf(reference)),
    set(refs) {
      const unnamed = refs.map(({ target }) => [unnamedPathOf(target.digest), undefined] as const);
      const named = refs.map(
        ({ reference, target }) => [pathOf(reference), JSON.stringify(entryOf(reference, target))] as const,
      );
      change(store, new Map([...unnamed, ...named]));
    },
    remove(references) {
      const removed = removeFiles(references.map(pathOf), store);
      return references.filter((reference) => removed.has(pathOf(reference)));
    },
    unnamed: () =>
      readEntries(directory)
        .filter((entry) => !isNamed(entry))
        .flatMap((target) => unnamedImage(target, unnamedPathOf(target.digest)))
        .sort((a, b) => b.keptAt - a.keptAt),
    keep(target) {
      const hasName = (entry: string): boolean => entry.includes(target.digest) && isNamedAs(target.digest, entry);
      change(store, new Map([[unnamedPathOf(target.digest), JSON.stringify(target)]]), (entries) =>
        entries.some(hasName),
      );
    },
    drop(digests) {
      const removed = removeFiles(digests.map(unnamedPathOf), store);
      return digests.filter((digest) => removed.has(unnamedPathOf(digest)));
    },
  };
}

function removeFiles(paths: readonly string[], store: RefsStore): ReadonlySet<string> {
  const present = paths.filter(isThere);
  return present.length === 0 ? new Set() : change(store, new Map(present.map((path) => [path, undefined])));
}

/**
 * Writes files with these texts, or removes those without one, and lists their entries in the index, unless `isNeedless` says
 * otherwise of its entries. Returns the files that changed.
 *
 * The index is read and written under a lock, and is marked as older than the names meanwhile: whoever comes after a process that was
 * killed in here reads all names. So does one that has lost the lock, since another may have written the index from the same entries.
 */
function change(
  store: RefsStore,
  texts: ReadonlyMap<string, string | undefined>,
  isNeedless: (entries: readonly string[]) => boolean = () => false,
): ReadonlySet<string> {
  const changed = new Set<string>();
  makeDirectory(store.refs);
  const isDone = withLock(lockOf(store), (lock) => {
    const listed = readIndex(store);
    const entries = listed ?? entriesOf(store.refs, lock);
    if (isNeedless(entries)) return true;
    const before = Array.from(texts, ([path]) => [path, readText(path)] as const);
    const different = before.filter(([path, text]) => text !== texts.get(path));
    if (different.length === 0 && listed !== undefined) return true;
    touch(indexOf(store), 0);
    for (const [path] of different) {
      const text = texts.get(path);
      if (text === undefined) rmSync(path, { force: true });
      else writeFile(path, text, store);
      changed.add(path);
    }
    // The entry of a damaged file is not known.
    const isKnown = different.every(([path, old]) => old === undefined || remove(entryIn(old, path), entries));
    for (const [path] of different) add(texts.get(path), entries);
    const all = isKnown ? entries : entriesOf(store.refs, lock);
    if (lock.isHeld()) saveIndex(store, all);
    return lock.isHeld();
  });
  if (!isDone) writeIndex(store);
  return changed;
}

/** Returns the files of names that cannot be read. */
export function damagedRefs({ refs }: Pick<StoreLayout, 'refs'>): readonly string[] {
  return listDirectory(refs).filter((name) => readEntry(join(refs, name)) === undefined && isThere(join(refs, name)));
}

/** Reports whether `index.json` and `oci-layout` are those of the names. */
export function isIndexCurrent(store: RefsStore): boolean {
  if (readText(join(store.root, 'oci-layout')) !== LAYOUT) return false;
  try {
    // An older tbuild wrote the entries in another order and form.
    const index = parseManifest(Buffer.from(readText(indexOf(store)) ?? ''));
    const listed = isIndex(index) ? index.manifests.map((entry) => JSON.stringify(entry)) : [];
    return listed.toSorted().join() === entriesOf(store.refs).join();
  } catch (error) {
    if (error instanceof TbuildError) return false;
    throw error;
  }
}

/** Reports whether a name has changed since `index.json` was written, so that a killed process may have left it behind. */
export function isIndexOlder(store: RefsStore): boolean {
  return modifiedAt(indexOf(store)) < modifiedAt(store.refs);
}

/** Writes the index of all names. */
export function writeIndex(store: RefsStore): void {
  const write = (lock: HeldLock): boolean => {
    saveIndex(store, entriesOf(store.refs, lock));
    return lock.isHeld();
  };
  for (let left = ATTEMPTS; left > 0 && !withLock(lockOf(store), write); left--) continue;
}

const ATTEMPTS = 10;

/** The entries stand one on a line, sorted, between these lines. */
const [START, END] = [`{"schemaVersion":2,"mediaType":"${MediaType.index}","manifests":[\n`, '\n]}'];

function saveIndex(store: RefsStore, entries: readonly string[]): void {
  const [index, layout] = [indexOf(store), join(store.root, 'oci-layout')];
  writeFile(index, encodeNote(index, `${START}${entries.join(',\n')}${END}`), store);
  if (readText(layout) !== LAYOUT) writeFile(layout, LAYOUT, store);
}

/** Returns the entries of the index, or undefined when it may lack a change, or is not as {@link saveIndex} wrote it. */
function readIndex(store: RefsStore): string[] | undefined {
  if (isIndexOlder(store) || readText(join(store.root, 'oci-layout')) !== LAYOUT) return undefined;
  const text = readNoteText(indexOf(store));
  if (text?.startsWith(START) !== true) return undefined;
  const lines = text.slice(START.length, -END.length);
  return lines === '' ? [] : lines.split(',\n');
}

function indexOf({ root }: RefsStore): string {
  return join(root, 'index.json');
}

function lockOf({ temporary }: RefsStore): string {
  return join(temporary, 'index.lock');
}

function writeFile(path: string, text: string, { temporary }: RefsStore): void {
  writeAtomically(path, text, { temporaryDirectory: temporary, mode: 0o644 });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isNamedAs(digest: Digest, text: string): boolean {
  const entry = parseDescriptor(JSON.parse(text));
  return entry.digest === digest && isNamed(entry);
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

/** Returns the entries of all names, sorted. */
function entriesOf(directory: string, lock?: HeldLock): string[] {
  return readEntries(directory, lock)
    .map((entry) => JSON.stringify(entry))
    .toSorted();
}

/** Returns false when the entry is not there. */
function remove(entry: string | undefined, entries: string[]): boolean {
  if (entry === undefined) return false;
  const at = placeOf(entry, entries);
  return entries[at] === entry && entries.splice(at, 1).length > 0;
}

function add(entry: string | undefined, entries: string[]): void {
  if (entry !== undefined) entries.splice(placeOf(entry, entries), 0, entry);
}

/** Returns where an entry is, or belongs. */
function placeOf(entry: string, entries: readonly string[]): number {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if ((entries[middle] ?? '') < entry) from = middle + 1;
    else to = middle;
  }
  return from;
}

function readEntries(directory: string, lock?: HeldLock): readonly Descriptor[] {
  return listDirectory(directory).flatMap((name, at) => {
    if (at % RENEWED_EVERY === 0) lock?.renew();
    return readEntry(join(directory, name)) ?? [];
  });
}

/** So many files are read in much less than a second, also from a slow disk. */
const RENEWED_EVERY = 16;

function readEntry(path: string): Descriptor | undefined {
  const text = readText(path);
  return text === undefined ? undefined : parseEntry(text, path);
}

function entryIn(text: string, path: string): string | undefined {
  const entry = parseEntry(text, path);
  return entry === undefined ? undefined : JSON.stringify(entry);
}

function parseEntry(text: string, path: string): Descriptor | undefined {
  try {
    const entry = parseDescriptor(JSON.parse(text));
    return fileOf(entry) === basename(path) ? entry : undefined;
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
