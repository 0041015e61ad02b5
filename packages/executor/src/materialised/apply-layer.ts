import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { FileType } from '@tbuild/linux';
import {
  createTreeWriter,
  isOpaque,
  isWhiteout,
  type OverlayFlavour,
  readAttributes,
  type TreeWriter,
} from '@tbuild/snapshot';

/**
 * Applies a directory of changes in overlay's format to a plain directory by copying. It makes no hard links to the
 * layer, since the copy will be written to.
 */
export function applyLayer(root: string, layer: string, flavour: OverlayFlavour): void {
  const writer = createTreeWriter({ upper: root, lowers: [], flavour });
  const links = new Map<number, string>();
  const own = lstatSync(layer);
  writer.directory('', readAttributes(layer, own));
  applyDirectory('', { root, layer, flavour, writer, links });
  writer.finish();
}

interface Application {
  readonly root: string;
  readonly layer: string;
  readonly flavour: OverlayFlavour;
  readonly writer: TreeWriter;
  /** The new path of each file with several names, by inode number. */
  readonly links: Map<number, string>;
}

function applyDirectory(directory: string, application: Application): void {
  const { layer } = application;
  const prefix = directory === '' ? '' : `${directory}/`;
  for (const name of readdirSync(`${layer}/${directory}`)) {
    const path = prefix + name;
    applyEntry(path, lstatSync(`${layer}/${path}`), application);
  }
}

function applyEntry(path: string, stats: Stats, application: Application): void {
  const { layer, root, flavour, writer, links } = application;
  const location = `${layer}/${path}`;
  if (isWhiteout(stats)) {
    writer.remove(path);
    return;
  }
  if (stats.isDirectory()) {
    const there = lstatSync(`${root}/${path}`, { throwIfNoEntry: false });
    if (there !== undefined && isOpaque(location, flavour)) writer.remove(path);
    writer.directory(path, readAttributes(location, stats));
    applyDirectory(path, application);
    return;
  }
  copyEntry({ path, location, stats }, writer, links);
}

/** Writes an entry that is not a directory and keeps hard links between entries. */
export function copyEntry(
  { path, location, stats }: { readonly path: string; readonly location: string; readonly stats: Stats },
  writer: TreeWriter,
  links: Map<number, string>,
): void {
  const first = stats.nlink > 1 ? links.get(stats.ino) : undefined;
  if (first !== undefined) {
    writer.link(path, first);
    return;
  }
  const attributes = readAttributes(location, stats);
  if (stats.isFile()) writer.file(path, attributes, { location, size: stats.size });
  else if (stats.isSymbolicLink()) writer.symlink(path, attributes, readlinkSync(location));
  else writer.special(path, attributes, { type: stats.mode & FileType.mask, device: stats.rdev });
  if (stats.nlink > 1) links.set(stats.ino, path);
}
