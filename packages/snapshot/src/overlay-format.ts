import { lstatSync } from 'node:fs';
import { lgetxattr, lsetxattr, mknod, FileType } from '@tbuild/linux';
import type { OverlayFlavour } from './snapshotter.ts';

/** Overlay's own attributes, which describe a layer directory and are no part of the tree. */
const OVERLAY_ATTRIBUTE = /^(trusted|user)\.overlay\./;

/** Whether an extended attribute belongs to overlay and must neither be copied nor taken from an archive. */
export function isOverlayAttribute(name: string): boolean {
  return OVERLAY_ATTRIBUTE.test(name);
}

/** Whether this is the character device 0:0 by which overlay marks a deleted name. */
export function isWhiteout(stats: { readonly mode: number; readonly rdev: number }): boolean {
  return stats.rdev === 0 && (stats.mode & FileType.mask) === FileType.character;
}

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
  mknod(location, FileType.character, 0);
}

/** Whether a whiteout lies at `location`. */
export function hasWhiteout(location: string): boolean {
  const stats = lstatSync(location, { throwIfNoEntry: false });
  return stats !== undefined && isWhiteout(stats);
}
