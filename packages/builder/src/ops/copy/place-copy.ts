import type { SelectedSource } from '@tbuild/context';
import { type CopyOptions, type Owner, type PlacedCopy } from '@tbuild/copy';
import type { CopyOp, CopySelection, ResultId } from '@tbuild/graph';
import { openLayeredTree, type TreeOutline } from '@tbuild/snapshot';
import type { OutputTimes } from '../output-times.ts';
import type { Trees } from '../trees.ts';
import type { FileInput } from './file-input.ts';
import { ownerIn } from './owner.ts';

/** The part of a copy that reads files of a context or of a step. */
export interface CopyFrom {
  readonly op: CopyOp;
  readonly selection: CopySelection;
  readonly input: Pick<FileInput, 'select' | 'hasher' | 'hasStableStat'>;
  readonly base: ResultId | undefined;
  /** What is known of the tree of the base, where nothing else is needed of it. */
  readonly outline?: TreeOutline;
}

/** What resolving destinations and owners uses. */
export type PlacePorts = Pick<Trees, 'results' | 'flavour'> & Pick<OutputTimes, 'epoch'>;

/** Resolves the destinations and owners of a copy that does not unpack archives. */
export async function placeCopy(
  { op, selection, input, base, outline }: CopyFrom,
  { results, flavour, epoch }: PlacePorts,
): Promise<PlacedCopy | undefined> {
  if (selection.unpack) return undefined;
  const lowers = base === undefined || outline !== undefined ? [] : (await results.snapshot(base)).directories;
  const owner = op.chown === undefined ? undefined : ownerIn(openLayeredTree(lowers, flavour), op.chown, base);
  const sources = await input.select();
  const options = copyOptionsOf(sources, input, { owner, epoch });
  const target = { ...op, ...selection };
  return { sources, target, options, lowers, outline, flavour, hasStableStat: input.hasStableStat };
}

/** Returns the options of a copy of these sources. `epoch` takes the place of the time of the newest one. */
export function copyOptionsOf(
  sources: readonly SelectedSource[],
  { hasher }: Pick<FileInput, 'hasher'>,
  { owner, epoch }: { readonly owner: Owner | undefined; readonly epoch: number | undefined },
): CopyOptions {
  return { owner, now: epoch ?? newestOf(sources), hasher };
}

/**
 * Returns the time of the newest source, which takes the place of the time of the build, so that the same input gives
 * the same bytes.
 */
function newestOf(sources: readonly SelectedSource[]): number {
  return sources.reduce((newest, { entry }) => Math.max(newest, entry.stats.mtimeMs), 0);
}
