export { makedev, majorOf, minorOf } from './device-number.ts';
export { copyFileBytes } from './copy-file-bytes.ts';
export { lgetxattr, llistxattr, lremovexattr, lsetxattr } from './xattr.ts';
export { FileType, mknod } from './mknod.ts';
export { tryFlock } from './flock.ts';
export { detachMount, mountTmpfs } from './mount.ts';
export { createHoleWriter, type HoleWriter } from './hole-writer.ts';
