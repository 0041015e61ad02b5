import { openCommittedTree, type LayeredTree, type OverlayFlavour } from '@tbuild/snapshot';
import { FileArchive } from './archive-files.ts';
import { runInTurns } from './run-in-turns.ts';
import type { ByteSink } from './tar/tar-writer.ts';

/** Writes the whole tree of a stack of directories (bottom first) as one archive, in the form of a layer. */
export function writeTree(directories: readonly string[], flavour: OverlayFlavour, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  return runInTurns(archiveTree(openCommittedTree(directories, flavour), sink), signal);
}

function* archiveTree(tree: LayeredTree, sink: ByteSink): Generator<void, void> {
  const archive = new FileArchive(sink);
  yield* addDirectory('');
  archive.finish();

  function* addDirectory(path: string): Generator<void, void> {
    for (const entry of tree.list(path)) {
      yield* archive.add(entry);
      yield;
      if (entry.stats.isDirectory()) yield* addDirectory(entry.path);
    }
  }
}
