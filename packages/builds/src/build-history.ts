import { existsSync, lstatSync } from 'node:fs';
import { TbuildError } from '@tbuild/errors';
import { isDigest } from '@tbuild/oci';
import { listDirectory, liveLeases, moveToTrash, readNote, readText, type StoreLayout } from '@tbuild/store';
import { eventsFile, failedTreeFile, recordFile } from './build-files.ts';
import { type BuildRecord, parseRecord } from './build-record.ts';
import { isBuildId, startOfBuild } from './build-ref.ts';
import { decodeEvents, hasWholeLines, type TimedEvent } from './event-lines.ts';

type Builds = Pick<StoreLayout, 'builds' | 'build'>;

/** Yields the records of the builds that have ended, the newest first. */
export function* listBuilds(store: Builds): Generator<BuildRecord, void> {
  for (const id of idsIn(store)) {
    const record = findRecord(store, id);
    if (record !== undefined) yield record;
  }
}

/** Returns the record of a build by its whole ID, unless there is none or it is damaged. */
export function findRecord(store: Builds, id: string): BuildRecord | undefined {
  const note = readNote(recordFile(store.build(id)));
  return note === undefined ? undefined : parseRecord(note);
}

/** Reports whether everything in the directory of a build can be read. A build that runs or was killed has no record. */
export function isWholeBuild(directory: string): boolean {
  const file = recordFile(directory);
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return true;
  const note = readNote(file);
  const failed = readText(failedTreeFile(directory));
  return (
    note !== undefined &&
    parseRecord(note) !== undefined &&
    (failed === undefined || isDigest(failed)) &&
    hasWholeLines(readText(eventsFile(directory)) ?? '')
  );
}

function idsIn({ builds }: Builds): readonly string[] {
  return listDirectory(builds).filter(isBuildId).toSorted().toReversed();
}

/**
 * Finds a build by its ID, the beginning of one, its ref, or `^N` for the Nth before the last. Defaults to the last.
 * @throws TbuildError NOT_FOUND
 */
export function findBuild(store: Builds, text = '^0'): BuildRecord {
  const [, back] = /^\^(\d*)$/.exec(text) ?? [];
  const wanted = text.replace(/^.*\//, '');
  const [one, other] = back === undefined ? startingWith(store, wanted) : nth(store, Number(back || 1));
  if (one !== undefined && (other === undefined || one.id === wanted)) return one;
  if (one !== undefined) throw new TbuildError('NOT_FOUND', `Several builds begin with ${JSON.stringify(text)}`, HINT);
  const message = text === '^0' ? 'The store has no record of a build' : `No build ${JSON.stringify(text)} is recorded`;
  throw new TbuildError('NOT_FOUND', message, HINT);
}

function startingWith(store: Builds, wanted: string): readonly BuildRecord[] {
  const ids = idsIn(store).filter((id) => id.startsWith(wanted));
  return ids.flatMap((id) => findRecord(store, id) ?? []);
}

/** Reads no more records than it has to. */
function nth(store: Builds, back: number): readonly BuildRecord[] {
  let at = 0;
  for (const record of listBuilds(store)) if (at++ === back) return [record];
  return [];
}

const HINT = { hint: 'Run "tbuild builds ls" for a list of recorded builds' };

/** Yields the events of a build with the times at which they arrived. */
export function readEvents(store: Builds, id: string): Iterable<TimedEvent> {
  return decodeEvents(readText(eventsFile(store.build(id))) ?? '');
}

/** Returns the IDs of all builds that may be removed: those that ended, and when none runs also those that were killed. */
export function removableBuilds(store: Removing, now: number): readonly string[] {
  const isQuiet = liveLeases(store, now).length === 0;
  return idsIn(store).filter((id) => isQuiet || existsSync(recordFile(store.build(id))));
}

/** Removes the record of a build, with the tree of its failed step. Returns false when it did not exist. */
export function removeBuild(store: Removing, id: string): boolean {
  removeFailedTree(store, id);
  return moveToTrash(store, store.build(id));
}

type Removing = Builds & Pick<StoreLayout, 'snapshot' | 'trash' | 'leases'>;

function removeFailedTree(store: Removing, id: string): void {
  const file = failedTreeFile(store.build(id));
  const tree = readText(file);
  if (tree !== undefined && isDigest(tree)) moveToTrash(store, store.snapshot(tree.slice(7)));
  moveToTrash(store, file);
}

/** How many records are kept and for how long, and of how many failed builds the tree of the failed step. */
const KEPT = { builds: 100, milliseconds: 30 * 24 * 3600 * 1000, trees: 3 };
/** How many records too many are removed at once: a build that removes something starts a process to delete it. */
const AT_ONCE = 20;

/**
 * Removes records that are too many or too old, and after a failed build the trees of earlier ones. Leaves them beside
 * other builds, which may be using these trees.
 */
export function tidyBuilds(store: Removing, now: number, { hasFailed }: { readonly hasFailed: boolean }): void {
  const ids = idsIn(store);
  const kept = ids.length < KEPT.builds + AT_ONCE ? Infinity : KEPT.builds;
  const old = ids.filter((id, at) => at >= kept || now - startOfBuild(id) > KEPT.milliseconds);
  if ((old.length === 0 && !hasFailed) || liveLeases(store, now).length > 0) return;
  const withTree = hasFailed ? ids.filter((id) => existsSync(failedTreeFile(store.build(id)))) : [];
  for (const id of withTree.slice(KEPT.trees)) removeFailedTree(store, id);
  for (const id of old) removeBuild(store, id);
}
