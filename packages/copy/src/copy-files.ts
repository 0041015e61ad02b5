import { constants } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import {
  type FileType,
  isLargeFile,
  readLink,
  type SelectedFile,
  type SelectedSource,
  type TreeEntry,
  typeOf,
} from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { parentOf } from '@tbuild/snapshot';
import { attributeRules, type AttributeRules } from './copied-attributes.ts';
import type { CopyOptions, CopyTarget } from './copy-options.ts';
import { checkReplaceable, join, placeDirectory, placeFile, touch, type Destination } from './destination.ts';
import { copyKeyedFile, copyLargeFile } from './keyed-file.ts';

/**
 * Copies a selection as COPY does. Files go into the destination if it is a directory or ends in a slash, otherwise
 * they take its place. Of directories, the contents are copied. Does not finish the writer. Yields between files and
 * within large files.
 *
 * Times are those of BuildKit, with `options.now` for the time of the build:
 *
 * - Files, links and the directories in a source keep theirs, also where they replace something.
 * - The destination of a directory takes the time of that directory, and of a whole tree `now`.
 * - Directories that are made to hold the rest, and existing ones in which only an entry is made, take `now`.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS if a file and a directory would replace each other, CONTEXT if a file
 * changed since it was keyed.
 */
export function* copyFiles(
  selection: readonly SelectedSource[],
  writer: Destination,
  { target, options }: Pick<CopyPlan, 'target' | 'options'>,
): CooperativeTask {
  const rules = attributeRules(target, options);
  for (const source of selection) yield* copySource(source, writer, { target, options, rules });
}

/** The parameters common to all sources of a copy. */
export interface CopyPlan {
  readonly target: CopyTarget;
  readonly options: CopyOptions;
  readonly rules: AttributeRules;
}

/** Copies one source. Keeps hard links between its files. */
export function* copySource(source: SelectedSource, writer: Destination, plan: CopyPlan): CooperativeTask {
  const { destination } = plan.target;
  const copier: Copier = { writer, ...plan, links: new Map(), made: new Set(), implied: new Set() };
  if (typeOf(source.entry.stats) === 'directory') yield* copyContents(copier, source, destination);
  else {
    const path = placeFile(writer, { destination, name: source.name }, plan.rules.implied);
    yield* copyEntry(copier, source.entry, path) ?? [];
  }
}

interface Copier extends CopyPlan {
  readonly writer: Destination;
  /** First path written for each inode with several links. */
  readonly links: Map<string, string>;
  /** Directories created for this source. Nothing in them can conflict. */
  readonly made: Set<string>;
  /** Existing directories that are only on the way to a selected file. */
  readonly implied: Set<string>;
}

function* copyContents(copier: Copier, source: SelectedSource, destination: string): CooperativeTask {
  const top = placeDirectory(copier.writer, destination, copier.rules.implied);
  takeTime(copier, source.entry, top);
  let count = 0;
  for (const file of source.files) {
    if (++count % FILES_A_PIECE === 0) yield;
    const path = join(top, file.relative);
    if (copier.implied.size > 0) touchImplied(copier, file, path);
    if (typeOf(file.entry.stats) === 'directory') copyDirectory(copier, file, path);
    else yield* copyEntry(copier, file.entry, path) ?? [];
  }
}

/** Sets the time of the top directory. It takes no other attribute of the source directory. */
function takeTime({ writer, rules }: Copier, source: TreeEntry, top: string): void {
  const isWhole = source.path === '';
  touch(writer, top, { mtimeMs: isWhole ? rules.implied.mtimeMs : source.stats.mtimeMs });
}

/** Sets the time of an implied directory in which `path` is made. */
function touchImplied({ writer, rules, implied }: Copier, { entry }: SelectedFile, path: string): void {
  const parent = parentOf(path);
  if (!implied.has(parent)) return;
  const stays = typeOf(entry.stats) === 'directory' && writer.stat(path) !== undefined;
  if (!stays) touch(writer, parent, rules.implied);
}

/**
 * Copies a directory. An existing directory takes the source's attributes. An implied one takes only the mode if it
 * exists, and all but the time if it does not.
 */
function copyDirectory(copier: Copier, { entry, implied }: SelectedFile, path: string): void {
  const { writer, rules, made } = copier;
  const existing = made.has(parentOf(path)) ? undefined : writer.stat(path);
  if (existing !== undefined && typeOf(existing.stats) !== 'directory') {
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Cannot copy to non-directory: /${path}`);
  }
  if (existing === undefined) made.add(path);
  if (implied !== true) return writer.directory(path, rules.of(entry));
  if (existing === undefined) return writer.directory(path, { ...rules.of(entry), mtimeMs: rules.implied.mtimeMs });
  copier.implied.add(path);
  const { uid, gid, mtimeMs } = existing.stats;
  return writer.directory(path, { mode: entry.stats.mode & 0o7777, uid, gid, mtimeMs });
}

/** The remaining work for a large file. A generator per small file would slow the copy by 10 %. */
type Rest = CooperativeTask | undefined | void;

function copyEntry(copier: Copier, entry: TreeEntry, path: string): Rest {
  if (!copier.made.has(parentOf(path))) checkReplaceable(copier.writer, path);
  return COPY[typeOf(entry.stats)](copier, entry, path);
}

const COPY: Record<FileType, (copier: Copier, entry: TreeEntry, path: string) => Rest> = {
  file: copyFile,
  directory() {
    throw new Error('Expected an entry other than a directory');
  },
  symlink: ({ writer, rules }, entry, path) => writer.symlink(path, rules.of(entry), readLink(entry)),
  fifo: copySpecial,
  character: copySpecial,
  block: copySpecial,
  socket: copySocket,
};

/**
 * A socket of a context becomes an empty file, since clients send it to BuildKit as one. Those of other stages are left
 * out, since layers cannot contain them.
 */
function copySocket({ writer, rules, target }: Copier, entry: TreeEntry, path: string): void {
  if (!target.keepOwner) writer.file(path, rules.of(entry), { bytes: Buffer.alloc(0) });
}

function copyFile({ writer, rules, links, options }: Copier, entry: TreeEntry, path: string): Rest {
  const { nlink, dev, ino } = entry.stats;
  const inode = nlink > 1 ? `${dev}:${ino}` : '';
  const first = links.get(inode);
  if (first !== undefined && first !== path) return writer.link(path, first);
  const attributes = rules.of(entry);
  const written = nlink > 1 ? undefined : options.written?.find(entry, path, attributes);
  if (written !== undefined && writer.share(path, written)) return;
  const bytes = options.digestOnce?.(entry);
  if (bytes !== undefined) return void writer.file(path, attributes, { bytes });
  if (nlink > 1) links.set(inode, path);
  const copy = isLargeFile(entry) ? copyLargeFile : copyKeyedFile;
  return copy(entry, writer, { path, attributes, hasher: options.hasher });
}

const FILES_A_PIECE = 32;

function copySpecial({ writer, rules }: Copier, entry: TreeEntry, path: string): void {
  writer.special(path, rules.of(entry), { type: entry.stats.mode & constants.S_IFMT, device: entry.stats.rdev });
}
