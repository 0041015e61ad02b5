import { lstatSync } from 'node:fs';
import { type CooperativeTask, runCooperatively } from '@tbuild/concurrency';
import { openCommittedTree, type LayeredTree, type OverlayFlavour } from '@tbuild/snapshot';
import { FileArchive } from './archive-files.ts';
import type { ByteSink } from './tar/tar-writer.ts';

/** One tree of an archive. */
export interface TreePart {
  /** The layer directories, bottom first. */
  readonly directories: readonly string[];
  /** The directory of the archive that takes the tree. Default: its root. */
  readonly under?: string;
}

export interface WriteTreeOptions {
  readonly flavour: OverlayFlavour;
  /** The latest modification time, in milliseconds. */
  readonly latest?: number;
  readonly signal?: AbortSignal;
}

/** Writes whole trees as one archive, in the form of a layer. */
export function writeTree(
  parts: readonly TreePart[],
  sink: ByteSink,
  { flavour, latest, signal }: WriteTreeOptions,
): Promise<void> {
  return runCooperatively(archiveTrees(parts, new FileArchive(sink, latest), flavour), signal);
}

function* archiveTrees(parts: readonly TreePart[], archive: FileArchive, flavour: OverlayFlavour): CooperativeTask {
  for (const { directories, under } of parts) {
    const top = directories.at(-1);
    if (under !== undefined && top !== undefined)
      yield* archive.add({ path: under, location: top, stats: lstatSync(top) });
    yield* addDirectory(openCommittedTree(directories, flavour), '', under === undefined ? '' : `${under}/`);
  }
  archive.finish();

  function* addDirectory(tree: LayeredTree, path: string, prefix: string): CooperativeTask {
    for (const entry of tree.list(path)) {
      yield* archive.add({ ...entry, path: prefix + entry.path });
      yield;
      if (entry.stats.isDirectory()) yield* addDirectory(tree, entry.path, prefix);
    }
  }
}
