import { lstatSync } from 'node:fs';
import { errnoName } from '@tbuild/errors';
import { lgetxattr, lsetxattr, mknod, FileType } from '@tbuild/linux';
import type { OverlayFlavour } from './snapshotter.ts';

/** Overlay's own attributes and ours, which describe a layer directory and are no part of the tree. */
const OVERLAY_ATTRIBUTE = /^((trusted|user)\.overlay|user\.tbuild)\./;

/** Whether an extended attribute belongs to overlay or to us and must neither be copied nor taken from an archive. */
export function isOverlayAttribute(name: string): boolean {
  return OVERLAY_ATTRIBUTE.test(name);
}

/** Whether this marks a deleted name: a character device 0:0 as overlay has it, or our own {@link SUBSTITUTE}. */
export function isWhiteout(stats: { readonly mode: number; readonly rdev: number }): boolean {
  if (stats.mode === SUBSTITUTE) return true;
  return stats.rdev === 0 && (stats.mode & FileType.mask) === FileType.character;
}

/**
 * Stands for a whiteout where the store itself lies on an overlay, as the files of a container do: those refuse
 * the device. A socket without permissions takes no privilege to make and no archive can hold one. Nothing
 * mounts such a tree, since an overlay is no upper directory of another.
 */
const SUBSTITUTE = FileType.socket;

/** Whether the directory at `location` hides all that lies below it in other layers. */
export function isOpaque(location: string, flavour: OverlayFlavour): boolean {
  return lgetxattr(location, `${flavour}.overlay.opaque`)?.toString() === 'y';
}

/** Makes the directory at `location` hide all that lies below it in other layers. */
export function makeOpaque(location: string, flavour: OverlayFlavour): void {
  lsetxattr(location, `${flavour}.overlay.opaque`, Buffer.from('y'));
}

/** Marks a name as deleted; nothing may be at `location`. */
export function makeWhiteout(location: string): void {
  try {
    mknod(location, FileType.character, 0);
  } catch (error) {
    if (errnoName(error) !== 'EPERM') throw error;
    mknod(location, SUBSTITUTE, 0);
  }
}

/** Whether a whiteout lies at `location`. */
export function hasWhiteout(location: string): boolean {
  const stats = lstatSync(location, { throwIfNoEntry: false });
  return stats !== undefined && isWhiteout(stats);
}
