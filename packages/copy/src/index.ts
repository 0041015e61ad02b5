export { addFiles } from './add-files.ts';
export { copyFiles } from './copy-files.ts';
export { copyInline } from './copy-inline.ts';
export type { CopyOptions, Owner } from './copy-options.ts';
export { filesInTree, isCopyMemo, isRemembered, openEarlierCopy, rememberCopy } from './earlier-copy.ts';
export type { EarlierCopy } from './earlier-copy.ts';
export { makeDirectory } from './make-directory.ts';
export { writeLayer } from './write-layer.ts';
export type { PlacedCopy } from './write-layer.ts';
