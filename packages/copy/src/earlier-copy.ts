import { lstatSync, type Stats } from 'node:fs';
import { type FileHasher, isLargeFile, type SelectedSource, type TreeEntry, typeOf } from '@tbuild/context';
import { resultId, type ResultId } from '@tbuild/graph';
import { type Digest, isDigest } from '@tbuild/oci';
import { type Attributes, comesBefore, type WrittenFile } from '@tbuild/snapshot';
import { readWords, writeAtomically } from '@tbuild/store';

/** What the same instruction copied onto the same base before. Usually most files are unchanged and can be shared. */
export interface EarlierCopy {
  readonly result: ResultId;
  /** Paths of selected files that were added or changed since. */
  readonly changed: ReadonlySet<string>;
  /** Archive size of the unchanged files, without large files. */
  readonly archivedBytes: number;
}

/** Finds files that a writer wrote before. */
export interface WrittenFiles {
  /**
   * Returns an earlier file with the same bytes, or undefined. A shared file in a tree must also have the same
   * attributes.
   */
  find(entry: TreeEntry, path: string, attributes: Attributes): WrittenFile | undefined;
}

/** Smaller copies are not worth remembering. */
const FEWEST = 500;

/** Decides whether to remember a copy: it must copy one directory, so that each path comes from one file. */
export function isRemembered(selection: readonly SelectedSource[]): boolean {
  const [source, ...others] = selection;
  if (source === undefined || others.length > 0 || typeOf(source.entry.stats) !== 'directory') return false;
  return source.files.length >= FEWEST;
}

/** Remembers in `file` the files of a result. The last writer wins. */
export function rememberCopy(file: string, copy: CopiedFiles): void {
  writeAtomically(file, () => wordsOf(copy));
}

/** A result and the files that it copied. */
export interface CopiedFiles {
  readonly result: ResultId;
  readonly selection: readonly SelectedSource[];
  /** Knows the digests of the files. */
  readonly hasher: FileHasher;
}

function* wordsOf({ result, selection: [source], hasher }: CopiedFiles): Generator<string, void> {
  yield `${result}\0${source?.entry.path ?? ''}\0`;
  for (const { entry } of source?.files ?? []) {
    const digest = typeOf(entry.stats) === 'file' ? hasher.known(entry) : undefined;
    if (digest !== undefined) yield `${entry.path}\0${digest}\0`;
  }
}

/** Compares a selection with what {@link rememberCopy} wrote for the same directory. */
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
    else if (!isLargeFile(entry)) archivedBytes += entry.stats.size + ARCHIVE_OVERHEAD;
  }
  return { result: resultId(result), changed, archivedBytes };
}

/** The header of a file and the padding of its last block. */
const ARCHIVE_OVERHEAD = 768;

/** Reports whether a file that {@link rememberCopy} has written is whole. */
export function isCopyMemo(file: string): boolean {
  const [result = '', top, ...files] = readWords(file) ?? [];
  return isDigest(result) && top !== undefined && files.every((word, at) => at % 2 === 0 || isDigest(word));
}

/** Finds files in the layer directory of the earlier result, for tree writers. */
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
 * Finds files in the earlier layer by path, for layer writers. Their attributes may differ. Large files are skipped:
 * reading them from the context is as fast.
 */
export function filesInLayer({ changed }: Pick<EarlierCopy, 'changed'>): WrittenFiles {
  return {
    find: (entry, path, attributes) =>
      changed.has(entry.path) || isLargeFile(entry)
        ? undefined
        : { location: path, attributes, size: entry.stats.size },
  };
}

/** Returns a lookup of digests by path. Paths must be looked up in walk order, which is the order of the file. */
function digestsInOrder(words: Iterator<string>): (path: string) => string | undefined {
  let next = words.next();
  let digest = words.next();
  return (path) => {
    while (next.done !== true && next.value !== path && comesBefore(next.value, path))
      [next, digest] = [words.next(), words.next()];
    return next.done !== true && next.value === path ? digest.value : undefined;
  };
}

/** File systems return times less than a microsecond off the time that was set. */
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
