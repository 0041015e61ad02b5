import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { type CooperativeTask, runCooperatively } from '@tbuild/concurrency';
import { resolvePath } from '@tbuild/context';
import { errnoName, hasCode, quotePath, TbuildError } from '@tbuild/errors';
import { FileType, makeDirectory } from '@tbuild/linux';
import {
  createTreeWriter,
  openCommittedTree,
  readAttributes,
  type Attributes,
  type LayeredEntry,
  type OverlayFlavour,
  type TreeWriter,
} from '@tbuild/snapshot';

/** The owner of copied files. */
export interface TreeOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A stack of directories, bottom first. */
export interface TreeSource {
  readonly directories: readonly string[];
  readonly flavour: OverlayFlavour;
  /** Copy only this directory or file of the tree: an absolute path. */
  readonly from?: string;
}

export interface TreeTarget {
  /** Absolute path; created when it is missing. */
  readonly target: string;
  readonly owner: TreeOwner;
  /** The newest time that a file may have, in milliseconds. */
  readonly latest?: number;
  /** Called before a device node is made; an error that it throws ends the copy. */
  readonly onDevice?: (path: string) => void;
}

/** The copied files. Directories get their times in `finish`. */
export interface CopiedTree {
  /** Relative to the target. */
  readonly paths: readonly string[];
  /** The size of all files together. */
  readonly bytes: number;
  finish(): void;
}

interface TreeCopy {
  readonly writer: TreeWriter;
  readonly owner: TreeOwner;
  readonly latest: number;
  readonly onDevice?: (path: string) => void;
  /** The first path of each file with several names, by device and inode. */
  readonly links: Map<string, string>;
}

/** Copies a tree into a directory, and replaces what the tree has under the same name. */
export function copyTree(source: TreeSource, target: TreeTarget, signal: AbortSignal): Promise<CopiedTree> {
  return runCooperatively(copyTask(source, target), signal);
}

function* copyTask(
  { directories, flavour, from = '/' }: TreeSource,
  { target, owner, latest = Infinity, onDevice }: TreeTarget,
): CooperativeTask<CopiedTree> {
  makeDirectory(target);
  const tree = openCommittedTree(directories, flavour);
  const writer = createTreeWriter({ upper: target, lowers: [], flavour });
  const copy: TreeCopy = { writer, owner, latest, onDevice, links: new Map() };
  const paths: string[] = [];
  let bytes = 0;
  const { entries, nameOf } = startAt(tree, from);
  const pending = [...entries].reverse();
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const path = nameOf(entry.path);
    bytes += yield* copyEntry(copy, { ...entry, path });
    paths.push(path);
    if (entry.stats.isDirectory()) pending.push(...[...tree.list(entry.path)].reverse());
    yield;
  }
  return { paths, bytes, finish: () => writer.finish() };
}

/** Returns the first entries of a copy, and a function that returns where the copy has an entry. */
function startAt(
  tree: ReturnType<typeof openCommittedTree>,
  from: string,
): { entries: readonly LayeredEntry[]; nameOf(path: string): string } {
  const start = resolvePath(tree, from, { followLast: true });
  if (start === undefined)
    throw new TbuildError('NOT_FOUND', `There is no ${quotePath(from)} in the files of the step`, {
      hint: 'Name a directory or file of the stage in from=',
    });
  const entry = start === '' ? undefined : tree.stat(start);
  if (entry === undefined || entry.stats.isDirectory())
    return { entries: tree.list(start), nameOf: (path) => (start === '' ? path : path.slice(start.length + 1)) };
  return { entries: [entry], nameOf: () => posix.basename(start) };
}

function* copyEntry(
  { writer, owner, latest, onDevice, links }: TreeCopy,
  { path, location, stats }: LayeredEntry,
): CooperativeTask<number> {
  const own = readAttributes(location, stats);
  const attributes = { ...own, ...owner, mtimeMs: Math.min(own.mtimeMs, latest) };
  if (stats.isDirectory()) writer.directory(path, attributes);
  else if (stats.isSymbolicLink()) writer.symlink(path, attributes, readlinkSync(location));
  else if (stats.isFile()) return yield* copyFile({ writer, links }, { path, location, stats }, attributes);
  else if (!stats.isSocket()) {
    if (!stats.isFIFO()) onDevice?.(path);
    copySpecial(writer, { path, stats }, attributes);
  }
  return 0;
}

function* copyFile(
  { writer, links }: Pick<TreeCopy, 'writer' | 'links'>,
  { path, location, stats }: Pick<LayeredEntry, 'path' | 'location' | 'stats'>,
  attributes: Attributes,
): CooperativeTask<number> {
  const inode = `${stats.dev}:${stats.ino}`;
  const existing = stats.nlink > 1 ? links.get(inode) : undefined;
  if (existing !== undefined) {
    writer.link(path, existing);
    return 0;
  }
  if (stats.nlink > 1) links.set(inode, path);
  return yield* writer.copy(path, attributes, location);
}

function copySpecial(
  writer: TreeWriter,
  { path, stats }: Pick<LayeredEntry, 'path' | 'stats'>,
  attributes: Attributes,
): void {
  try {
    writer.special(path, attributes, { type: stats.mode & FileType.mask, device: stats.rdev });
  } catch (cause) {
    const reason = hasCode(cause, 'SNAPSHOT') ? cause.cause : cause;
    if (errnoName(reason) !== 'EPERM') throw cause;
    throw new TbuildError(
      'UNSUPPORTED',
      `Cannot write the device ${JSON.stringify(`/${path}`)} of the image: only root can`,
      {
        hint: 'Use -o type=tar, or remove the device in the last stage',
        cause,
      },
    );
  }
}
