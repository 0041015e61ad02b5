import type { ResultId } from '@tbuild/cache';
import type { SelectedSource } from '@tbuild/context';
import type { CopyOp, CopySelection } from '@tbuild/graph';
import type { Layer } from '@tbuild/oci';
import { openLayeredTree } from '@tbuild/snapshot';
import type { CopyOptions, Owner } from '../copy/copy-options.ts';
import type { PlacedCopy } from '../copy/write-layer.ts';
import { type FileInput, sizeOf } from './file-input.ts';
import type { StepContext, Underway } from './op-environment.ts';
import { ownerIn } from './owner.ts';

/** The part of a copy that reads files of a context or of a step. */
export interface CopyFrom {
  readonly op: CopyOp;
  readonly selection: CopySelection;
  readonly input: FileInput;
  readonly base: ResultId | undefined;
}

/** Settles places and owners of a copy that unpacks nothing. */
export async function placeCopy(
  { op, selection, input, base }: CopyFrom,
  { worker: { flavour }, results, epoch }: StepContext,
): Promise<PlacedCopy | undefined> {
  if (selection.unpack) return undefined;
  const lowers = base === undefined ? [] : (await results.snapshot(base)).directories;
  const owner = op.chown === undefined ? undefined : ownerIn(openLayeredTree(lowers, flavour), op.chown, base);
  const sources = await input.select();
  const options = placementOf(sources, input, owner, epoch);
  return { sources, target: { ...op, ...selection }, options, lowers, flavour, isSettled: input.isSettled };
}

/** As few are packed before another process has begun. */
const LARGE = { files: 1000, bytes: 1 << 24 };

interface Aside extends Pick<StepContext, 'preparation'>, Underway {
  readonly worker: Pick<StepContext['worker'], 'layerProcess'>;
}

/** Begins to write the layer of a large copy in another process, and to get it ready for the outputs. */
export function writeAside(
  copy: PlacedCopy | undefined,
  { worker, preparation, signal }: Aside,
): Promise<Layer | undefined> | undefined {
  if (copy?.isSettled !== true) return undefined;
  const { files, bytes } = sizeOf(copy.sources);
  if (files < LARGE.files && bytes < LARGE.bytes) return undefined;
  const coming = worker.layerProcess?.start(copy, AbortSignal.any([signal, preparation.signal]));
  if (coming !== undefined) preparation.add(coming);
  return coming?.layer;
}

export function placementOf(
  sources: readonly SelectedSource[],
  { hasher }: FileInput,
  owner: Owner | undefined,
  epoch: number | undefined,
): CopyOptions {
  return { owner, now: epoch ?? newestOf(sources), fixedTime: epoch, hasher };
}

/** Directories that no source stands for take the time of the newest source: the same input gives the same bytes. */
function newestOf(sources: readonly SelectedSource[]): number {
  return sources.reduce((newest, { entry }) => Math.max(newest, entry.stats.mtimeMs), 0);
}
