export type { FileStat, FileTree, TreeEntry } from './file-tree.ts';
export type { SelectedFile, SelectedSource, SelectOptions } from './selection.ts';
