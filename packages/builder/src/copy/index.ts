export { addFiles } from './add-files.ts';
export { copyFiles } from './copy-files.ts';
export { copyInline } from './copy-inline.ts';
export type { CopyOptions, CopyTarget, Owner, PlacementOptions } from './copy-options.ts';
export { makeDirectory } from './make-directory.ts';
