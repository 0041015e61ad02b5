import { lstatSync, type Stats } from 'node:fs';
import type { ResultId } from '@tbuild/cache';
import { type FileHasher, type SelectedSource, type TreeEntry, typeOf } from '@tbuild/context';
import { type Digest, isDigest } from '@tbuild/oci';
import type { Attributes } from '@tbuild/snapshot';
import { readNote, writeNote } from '../note-file.ts';

/** What an instruction wrote on the same base before: most of it is often the same, and can be shared. */
export interface EarlierCopy {
  readonly result: ResultId;
  /** Where the earlier tree has a file at `path` with the bytes and attributes that this one shall have. */
  find(entry: TreeEntry, path: string, attributes: Attributes): string | undefined;
}

/** Copies of fewer files are not worth remembering, those of more files would take too much memory. */
const [FEWEST, MOST] = [500, 50_000];

/** Whether a copy is one that is remembered: a directory, so that each path comes from one file only. */
export function isRemembered(selection: readonly SelectedSource[]): boolean {
  const [source, ...others] = selection;
  if (source === undefined || others.length > 0 || typeOf(source.entry.stats) !== 'directory') return false;
  return source.files.length >= FEWEST && source.files.length <= MOST;
}

/** Notes in `file` which files a result holds; the last one wins. */
export function rememberCopy(
  file: string,
  result: ResultId,
  [source]: readonly SelectedSource[],
  hasher: FileHasher,
): void {
  const words: string[] = [result, source?.entry.path ?? ''];
  for (const { entry } of source?.files ?? []) {
    const digest = typeOf(entry.stats) === 'file' ? hasher.known(entry) : undefined;
    if (digest !== undefined) words.push(entry.path, digest);
  }
  writeNote(file, words.join('\0'));
}

/** Opens what {@link rememberCopy} noted of the same directory. `directoryOf` gives the layer directory of a result that is still there. */
export async function openEarlierCopy(
  file: string,
  [source]: readonly SelectedSource[],
  hasher: FileHasher,
  directoryOf: (result: ResultId) => Promise<string | undefined>,
): Promise<EarlierCopy | undefined> {
  const [result = '', top, ...words] = (readNote(file) ?? '').split('\0');
  if (!isDigest(result) || top !== source?.entry.path) return undefined;
  const directory = await directoryOf(result);
  if (directory === undefined) return undefined;
  const digests = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) digests.set(words[at] ?? '', words[at + 1] ?? '');
  return {
    result,
    find(entry, path, attributes) {
      const known: Digest | undefined = hasher.known(entry);
      if (known === undefined || digests.get(entry.path) !== known) return undefined;
      const location = `${directory}/${path}`;
      const stats = lstatSync(location, { throwIfNoEntry: false });
      return stats !== undefined && stats.size === entry.stats.size && hasAttributes(stats, attributes)
        ? location
        : undefined;
    },
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
