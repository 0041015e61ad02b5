import { readFileSync } from 'node:fs';
import { isSelectionMemory, SELECTIONS } from './selection-memory.ts';
import { decodeStatTable } from './stat-table.ts';

/** Reports whether a file that {@link openStatIndex} has saved is whole. */
export function isIndexFile(file: string): boolean {
  try {
    return file.endsWith(SELECTIONS) ? isSelectionMemory(file) : decodeStatTable(readFileSync(file)) !== undefined;
  } catch {
    return false;
  }
}
