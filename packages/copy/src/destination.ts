import { type FileTree, resolveDestination, typeOf } from '@tbuild/context';
import { TbuildError } from '@tbuild/errors';
import { parentOf, type TreeWriter } from '@tbuild/snapshot';
import type { Owner } from './copy-options.ts';

/** A tree or layer being written, whose present state can be read. */
export type Destination = TreeWriter & Pick<FileTree, 'stat'>;

/** Attributes of directories that are created only because something below them is needed. */
export interface ImpliedAttributes {
  readonly mode: number;
  readonly owner?: Owner;
  readonly mtimeMs: number;
}

/**
 * Creates the directory `path`, whose links are already resolved, and its missing parents. As with mkdir(2),
 * directories below a setgid directory inherit the bit and the group, and the existing directory takes the time.
 *
 * @throws TbuildError DOCKERFILE_SEMANTICS if a path component is not a directory.
 */
export function ensureDirectory(writer: Destination, path: string, implied: ImpliedAttributes): void {
  let nearest = path;
  let entry = writer.stat(nearest);
  while (entry === undefined && nearest !== '') {
    nearest = parentOf(nearest);
    entry = writer.stat(nearest);
  }
  if (entry !== undefined && typeOf(entry.stats) !== 'directory') {
    throw new TbuildError('DOCKERFILE_SEMANTICS', `Path ${quote(nearest)} is not a directory`);
  }
  if (nearest === path) return;
  touch(writer, nearest, implied);
  const inherits = entry !== undefined && (entry.stats.mode & SETGID) !== 0;
  const { uid, gid } = implied.owner ?? { uid: 0, gid: inherits ? (entry?.stats.gid ?? 0) : 0 };
  const mode = (implied.mode & 0o777) | (inherits ? SETGID : 0);
  writer.ensureDirectory(path, { mode, uid, gid, mtimeMs: implied.mtimeMs });
}

/** Sets the time of a directory in which an entry is made. No layer contains the root. */
export function touch(writer: Destination, directory: string, { mtimeMs }: Pick<ImpliedAttributes, 'mtimeMs'>): void {
  if (directory !== '') writer.touch(directory, mtimeMs);
}

/**
 * Returns the path of a copied file: in the destination if that is a directory, otherwise the destination itself. Its
 * directory takes the time.
 */
export function placeFile(
  writer: Destination,
  { destination, name }: { readonly destination: string; readonly name: string },
  implied: ImpliedAttributes,
): string {
  ensureParent(writer, destination, implied);
  const place = resolveDestination(writer, destination);
  const existing = writer.stat(place);
  const path = existing !== undefined && typeOf(existing.stats) === 'directory' ? join(place, name) : place;
  ensureDirectory(writer, parentOf(path), implied);
  touch(writer, parentOf(path), implied);
  return path;
}

/** Returns the path that receives a directory's contents, and creates it. */
export function placeDirectory(writer: Destination, destination: string, implied: ImpliedAttributes): string {
  ensureParent(writer, destination, implied);
  const place = resolveDestination(writer, destination);
  ensureDirectory(writer, place, implied);
  return place;
}

/** Creates the directory before the last slash, which for `/dir/` is `/dir`. */
function ensureParent(writer: Destination, destination: string, implied: ImpliedAttributes): void {
  const parent = destination.slice(0, destination.lastIndexOf('/') + 1);
  ensureDirectory(writer, resolveDestination(writer, parent), implied);
}

/**
 * Checks that a file may replace what is at `path`.
 * @throws TbuildError DOCKERFILE_SEMANTICS if it is a directory.
 */
export function checkReplaceable(writer: Destination, path: string): void {
  const existing = writer.stat(path);
  if (existing === undefined || typeOf(existing.stats) !== 'directory') return;
  throw new TbuildError('DOCKERFILE_SEMANTICS', `Cannot replace to directory /${path} with file`);
}

export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

const SETGID = 0o2000;

function quote(path: string): string {
  return JSON.stringify(`/${path}`);
}
