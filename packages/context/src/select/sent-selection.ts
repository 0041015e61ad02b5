import type { TreeEntry } from '../tree/file-tree.ts';
import { slimStat } from '../tree/slim-stat.ts';
import { SelectionList } from './selection-list.ts';
import type { SelectedColumns, SelectedSource } from './selection.ts';

/** A selection as data that can be sent to another thread. */
export type SentSelection = readonly SentSource[];

interface SentSource {
  readonly pattern: string;
  readonly name: string;
  readonly entry: TreeEntry;
  readonly files: SelectedColumns;
}

export function sendSelection(sources: readonly SelectedSource[]): SentSelection {
  return sources.map(({ pattern, name, entry, files }) => ({
    pattern,
    name,
    entry: { name: entry.name, path: entry.path, location: entry.location, stats: slimStat(entry.stats) },
    files: files.columns(),
  }));
}

export function receiveSelection(sent: SentSelection): readonly SelectedSource[] {
  return sent.map((source) => ({ ...source, files: new SelectionList(source.files) }));
}
