import { lstatSync } from 'node:fs';
import type { CooperativeTask } from '@tbuild/concurrency';
import { openCommittedTree, type OverlayFlavour, parentOf } from '@tbuild/snapshot';
import { FileArchive } from './archive-files.ts';
import { changes, type Change } from './changes.ts';
import type { ByteSink } from './tar/tar-writer.ts';

export interface PackOptions {
  readonly upper: string;
  /** Bottom first. */
  readonly lowers: readonly string[];
  readonly flavour: OverlayFlavour;
}

/** Writes the archive of a layer to `sink`. Yields between entries and inside large files. */
export function* packLayer({ upper, lowers, flavour }: PackOptions, sink: ByteSink): CooperativeTask {
  const archive = new FileArchive(sink);
  const parents = new Set(['']);
  for (const change of changes({ upper, lower: openCommittedTree(lowers, flavour), flavour })) {
    yield* addParents(change.path);
    yield* add(change);
    yield;
  }
  archive.finish();

  function* add(change: Change): CooperativeTask {
    if (change.kind === 'delete') return archive.addWhiteout(change.path);
    if (change.stats.isDirectory()) parents.add(change.path);
    yield* archive.add(change);
  }

  /** A layer contains each parent of a change once, before the change, whether or not the parent changed. */
  function* addParents(path: string): CooperativeTask {
    const parent = parentOf(path);
    if (parents.has(parent)) return;
    yield* addParents(parent);
    const location = `${upper}/${parent}`;
    yield* add({ kind: 'write', path: parent, location, stats: lstatSync(location) });
  }
}
