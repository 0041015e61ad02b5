export { compareBytes } from './compare-bytes.ts';
export type { FileStat, FileTree, TreeEntry } from './file-tree.ts';
export { typeOf } from './file-type.ts';
export type { FileType } from './file-type.ts';
export { openDirectory } from './open-directory.ts';
export { resolveDestination, resolvePath } from './resolve-path.ts';
export type { ResolveOptions } from './resolve-path.ts';
export type { SelectedFile, SelectedSource, SelectOptions } from './selection.ts';
