import { lstatSync, type Stats } from 'node:fs';
import { type FileHasher, isLarge, type SelectedSource, type TreeEntry, typeOf } from '@tbuild/context';
import { resultId, type ResultId } from '@tbuild/graph';
import { type Digest, isDigest } from '@tbuild/oci';
import { type Attributes, comesBefore, type WrittenFile } from '@tbuild/snapshot';
import { readWords, writeAtomically } from '@tbuild/store';

/** What an instruction wrote on the same base before: most of it is often the same, and can be shared. */
export interface EarlierCopy {
  readonly result: ResultId;
  /** Paths of the files of the selection that had other bytes then, or were not there. */
  readonly changed: ReadonlySet<string>;
  /** What the others take in an archive, large ones aside. */
  readonly archivedBytes: number;
}

/** Where a writer finds what it wrote before. */
export interface WrittenFiles {
  /** Undefined when the file had other bytes then or, where it is to be the same file, other attributes. */
  find(entry: TreeEntry, path: string, attributes: Attributes): WrittenFile | undefined;
}

/** Copies of fewer files are not worth remembering. */
const FEWEST = 500;

/** Whether a copy is one that is remembered: a directory, so that each path comes from one file only. */
export function isRemembered(selection: readonly SelectedSource[]): boolean {
  const [source, ...others] = selection;
  if (source === undefined || others.length > 0 || typeOf(source.entry.stats) !== 'directory') return false;
  return source.files.length >= FEWEST;
}

/** Notes in `file` which files a result holds; the last one wins. */
export function rememberCopy(
  file: string,
  result: ResultId,
  [source]: readonly SelectedSource[],
  hasher: FileHasher,
): void {
  writeAtomically(file, wordsOf(result, source, hasher));
}

function* wordsOf(result: ResultId, source: SelectedSource | undefined, hasher: FileHasher): Generator<string, void> {
  yield `${result}\0${source?.entry.path ?? ''}\0`;
  for (const { entry } of source?.files ?? []) {
    const digest = typeOf(entry.stats) === 'file' ? hasher.known(entry) : undefined;
    if (digest !== undefined) yield `${entry.path}\0${digest}\0`;
  }
}

/** Compares the selection with what {@link rememberCopy} noted of the same directory. */
export function openEarlierCopy(
  file: string,
  [source]: readonly SelectedSource[],
  hasher: FileHasher,
): EarlierCopy | undefined {
  const words = readWords(file);
  const [result = '', top] = [words?.next().value, words?.next().value];
  if (words === undefined || source === undefined || !isDigest(result) || top !== source.entry.path) return undefined;
  const digestOf = digestsInOrder(words);
  const changed = new Set<string>();
  let archivedBytes = 0;
  for (const { entry } of source.files) {
    if (typeOf(entry.stats) !== 'file') continue;
    const known: Digest | undefined = hasher.known(entry);
    if (known === undefined || digestOf(entry.path) !== known) changed.add(entry.path);
    else if (!isLarge(entry)) archivedBytes += entry.stats.size + ARCHIVE_OVERHEAD;
  }
  return { result: resultId(result), changed, archivedBytes };
}

/** The header of a file, and what fills up its last block. */
const ARCHIVE_OVERHEAD = 768;

/** For writers of trees: the files are in the layer directory of the earlier result. */
export function filesInTree({ changed }: EarlierCopy, directory: string): WrittenFiles {
  return {
    find(entry, path, attributes) {
      if (changed.has(entry.path)) return undefined;
      const location = `${directory}/${path}`;
      const { size } = entry.stats;
      const stats = lstatSync(location, { throwIfNoEntry: false });
      if (stats === undefined || stats.size !== size || !hasAttributes(stats, attributes)) return undefined;
      return { location, attributes, size };
    },
  };
}

/**
 * For writers of layers: the files are in the earlier layer by their paths. Attributes may be others now, and large files are no
 * slower to read where they are.
 */
export function filesInLayer({ changed }: Pick<EarlierCopy, 'changed'>): WrittenFiles {
  return {
    find: (entry, path, attributes) =>
      changed.has(entry.path) || isLarge(entry) ? undefined : { location: path, attributes, size: entry.stats.size },
  };
}

/** Looks up the digests of a note by path, in the order of a walk, which the note has too. */
function digestsInOrder(words: Iterator<string>): (path: string) => string | undefined {
  let next = words.next();
  let digest = words.next();
  return (path) => {
    while (next.done !== true && next.value !== path && comesBefore(next.value, path))
      [next, digest] = [words.next(), words.next()];
    return next.done !== true && next.value === path ? digest.value : undefined;
  };
}

/** A time that was set is read again with less than a microsecond of difference. */
const SAME_TIME = 0.001;

function hasAttributes(stats: Stats, { mode, uid, gid, mtimeMs, xattrs }: Attributes): boolean {
  return (
    stats.isFile() &&
    xattrs === undefined &&
    (stats.mode & 0o7777) === mode &&
    stats.uid === uid &&
    stats.gid === gid &&
    Math.abs(stats.mtimeMs - mtimeMs) < SAME_TIME &&
    Math.floor(stats.mtimeMs / 1000) === Math.floor(mtimeMs / 1000)
  );
}
